/** Commands that set Outpool up, run it and check it. */
import { type HostProgram, programFlags } from '../../config/hostPrograms.js'
import type { CommandContext } from '../commandContext.js'
import { type DeclaredCommand, optionOf } from './commandSpec.js'

const runOnHost = (program: HostProgram) => async (context: CommandContext) => {
  const { runHostProgram } = await import('../commands/hostPrograms.js')
  await runHostProgram(program, context)
}

export const setUp: readonly DeclaredCommand[] = [
  {
    name: 'init',
    description: 'find Claude config dirs and write an outpool.yaml, or add to it; asks on a terminal',
    withoutConfig: true,
    options: [
      { flags: '--yes', description: 'ask nothing: every login but your own in ~/.claude, and no fallback' },
      { flags: '--own', description: 'with --yes: also your own login in ~/.claude' },
    ],
    run: async (context) => (await import('../commands/init.js')).init(context),
  },
  {
    name: 'config',
    description: 'check the configuration, show it with every default, or print which file is used',
    withoutConfig: true,
    args: [{ name: '<what>', description: 'check, show or path', choices: ['check', 'show', 'path'] }],
    options: [{ flags: '--json', description: 'print JSON' }],
    run: async (context) => (await import('../commands/config.js')).config(context),
  },
  {
    name: 'up',
    description: 'run engine and worker in the foreground',
    options: programFlags.up.map(optionOf),
    run: runOnHost('up'),
  },
  {
    name: 'down',
    description: 'end the running `outpool up` of this home cleanly; panes keep running',
    withoutConfig: true,
    options: programFlags.down.map(optionOf),
    run: runOnHost('down'),
  },
  {
    name: 'notices',
    description: 'send a test message through each configured channel, and say what became of it',
    args: [{ name: '<what>', description: 'test', choices: ['test'] }],
    options: programFlags.notices.map(optionOf),
    examples: ['outpool notices test'],
    run: runOnHost('notices'),
  },
  {
    name: 'worker',
    description: 'run only a worker, with an engine that is already running',
    options: programFlags.worker.map(optionOf),
    run: runOnHost('worker'),
  },
  {
    name: 'ui',
    description:
      "open Temporal's Web UI, and let it show what the engine stores, which is sealed; runs until Ctrl-C",
    withoutConfig: true,
    options: [
      { flags: '--address <url>', description: 'the Web UI of your own Temporal' },
      { flags: '--no-open', description: 'only print its address, and open no browser' },
    ],
    run: async (context) => (await import('../commands/ui.js')).ui(context),
  },
  {
    name: 'service',
    description: 'run engine and worker under systemd',
    args: [
      {
        name: '<what>',
        description: 'install, uninstall or status',
        choices: ['install', 'uninstall', 'status'],
      },
    ],
    options: [
      { flags: '--user', description: 'a service of your user (the default)' },
      { flags: '--system', description: 'a system service that runs as your user; needs root to install' },
      { flags: '--print', description: 'only print the unit that install would write' },
    ],
    run: async (context) => (await import('../commands/service.js')).service(context),
  },
  {
    name: 'doctor',
    description: 'check everything that Outpool needs, and say how to fix each problem',
    withoutConfig: true,
    options: programFlags.doctor.map(optionOf),
    run: runOnHost('doctor'),
  },
  {
    name: 'rehearse',
    description: 'check that the installed agent program behaves as Outpool expects, against a stand-in',
    withoutConfig: true,
    options: programFlags.rehearse.map(optionOf),
    run: runOnHost('rehearse'),
  },
  {
    name: 'demo',
    description: 'show a session that hits the wall and continues on another account; no account needed',
    withoutConfig: true,
    options: programFlags.demo.map(optionOf),
    run: runOnHost('demo'),
  },
  {
    name: 'trust',
    description: "show what a project's own settings make an agent do, and allow it until they change",
    withoutConfig: true,
    args: [{ name: '<path>', description: 'folder of the project', completion: 'folder' }],
    options: programFlags.trust.filter(({ value }) => value === null).map(optionOf),
    run: async (context) => (await import('../commands/trust.js')).trust(context),
  },
  {
    name: 'key',
    description:
      'list the keys that seal what the engine stores, replace the current one, or remove old ones',
    withoutConfig: true,
    args: [
      {
        name: '<what>',
        description: 'list, rotate, use or prune',
        choices: ['list', 'rotate', 'use', 'prune'],
      },
      { name: '[id]', description: 'of the key to use' },
    ],
    options: [
      { flags: '--dry-run', description: 'prune: only say which keys would go, and why the others stay' },
      { flags: '--json', description: 'print JSON' },
    ],
    examples: ['outpool key rotate', 'outpool key use 0123456789ab', 'outpool key prune --dry-run'],
    run: async (context) => (await import('../commands/key.js')).key(context),
  },
]
