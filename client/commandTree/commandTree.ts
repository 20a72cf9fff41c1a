/** Every command with its arguments and options; help, parsing and completion derive from it. A command's code is loaded when it is called. */
import { type HostProgram, programFlags } from '../../config/hostPrograms.js'
import type { CommandContext } from '../commandContext.js'
import { type ArgumentSpec, type CommandSpec, type OptionSpec, optionOf } from './commandSpec.js'

const json: OptionSpec = { flags: '--json', description: 'print JSON instead of a table' }
const session: ArgumentSpec = { name: '<name>', description: 'name of the session', completion: 'session' }

const runOnHost = (program: HostProgram) => async (context: CommandContext) => {
  const { runHostProgram } = await import('../commands/hostPrograms.js')
  await runHostProgram(program, context)
}

export const commandTree: readonly CommandSpec[] = [
  {
    name: 'init',
    group: 'Set up',
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
    group: 'Set up',
    description: 'check the configuration, show it with every default, or print which file is used',
    withoutConfig: true,
    args: [{ name: '<what>', description: 'check, show or path', choices: ['check', 'show', 'path'] }],
    options: [{ flags: '--json', description: 'print JSON' }],
    run: async (context) => (await import('../commands/config.js')).config(context),
  },
  {
    name: 'up',
    group: 'Set up',
    description: 'run engine and worker in the foreground',
    options: programFlags.up.map(optionOf),
    run: runOnHost('up'),
  },
  {
    name: 'down',
    group: 'Set up',
    description: 'end the running `outpool up` of this home in order; panes keep running',
    withoutConfig: true,
    options: programFlags.down.map(optionOf),
    run: runOnHost('down'),
  },
  {
    name: 'start',
    group: 'Work with sessions',
    description: 'start a session',
    args: [
      { name: '<name>', description: 'name of the new session' },
      { name: '[prompt...]', description: 'the first message, after --' },
    ],
    options: [
      {
        flags: '--cwd <dir>',
        description: 'folder to work in (default: the current one)',
        completion: 'folder',
      },
      { flags: '--account <name>', description: 'preferred account', completion: 'account' },
      { flags: '--pin', description: 'use only this account, and wait for it if need be' },
      { flags: '--agent <name>', description: 'agent program (default: claude-code)', completion: 'agent' },
      { flags: '--model <name>', description: 'model for the agent' },
      {
        flags: '--models <names>',
        description: 'models in order, such as opus,sonnet: the next one if no account can run the first',
      },
      {
        flags: '--fallback <names>',
        description: 'substrates to use in order when the pool is dry, or none (default: all)',
      },
      {
        flags: '--priority <number>',
        description: 'sessions with a lower number go first when accounts are short (default: 0)',
      },
      { flags: '--json', description: 'print the session as JSON' },
    ],
    examples: ['outpool start docs --cwd ~/docs -- "Bring the guide up to date"'],
    run: async (context) => (await import('../commands/start.js')).start(context),
  },
  {
    name: 'adopt',
    group: 'Work with sessions',
    description: 'list agents that you started yourself, or take them over with their whole conversation',
    args: [{ name: '[what...]', description: 'panes (%3, main:1.0), processes or conversations' }],
    options: [
      { flags: '--name <name>', description: 'name of the session (default: that of its folder)' },
      { flags: '--all', description: 'every agent that can be adopted' },
      {
        flags: '--under <dir>',
        description: 'every agent that works in this folder or below',
        completion: 'folder',
      },
      { flags: '--now', description: 'interrupt a turn instead of waiting for its end' },
      { flags: '--yes', description: 'accept the loss of what does not carry over' },
      json,
    ],
    examples: ['outpool adopt', 'outpool adopt %3 --name docs', 'outpool adopt --under ~/work'],
    run: async (context) => (await import('../commands/adopt.js')).adopt(context),
  },
  {
    name: 'ls',
    group: 'Work with sessions',
    description: 'list sessions',
    options: [{ flags: '--all', description: 'include sessions that stopped more than a day ago' }, json],
    run: async (context) => (await import('../commands/ls.js')).ls(context),
  },
  {
    name: 'top',
    group: 'Work with sessions',
    description: 'show the whole fleet on one screen, updated every two seconds',
    run: async (context) => (await import('../commands/top.js')).top(context),
  },
  {
    name: 'events',
    group: 'Work with sessions',
    description: 'list what happened on this host: moves, walls, tasks, services',
    withoutConfig: true,
    options: [
      { flags: '--follow', description: 'go on as events come, also while the worker restarts' },
      { flags: '--since <time>', description: 'only newer ones: 2h, or an instant' },
      { flags: '--session <name>', description: 'only about this session', completion: 'session' },
      { flags: '--account <name>', description: 'only about this account', completion: 'account' },
      { flags: '--kind <kind>', description: 'only of this kind, such as session-moved' },
      { flags: '--json', description: 'print one JSON object a line' },
    ],
    examples: ['outpool events --follow', 'outpool events --since 12h --kind session-moved --json'],
    run: async (context) => (await import('../commands/events.js')).events(context),
  },
  {
    name: 'report',
    group: 'Work with sessions',
    description: 'sum up what happened on this host, and what waits for a person now',
    withoutConfig: true,
    options: [
      { flags: '--since <time>', description: 'a duration (default: 24h), or an instant' },
      { flags: '--html <file>', description: 'write it as one page for a browser', completion: 'file' },
      { flags: '--json', description: 'print JSON' },
    ],
    run: async (context) => (await import('../commands/report.js')).report(context),
  },
  {
    name: 'show',
    group: 'Work with sessions',
    description: 'show everything about one session, with its rescue log',
    args: [session],
    options: [json],
    run: async (context) => (await import('../commands/show.js')).show(context),
  },
  {
    name: 'attach',
    group: 'Work with sessions',
    description: "open the session's pane in this terminal",
    args: [session],
    options: [
      {
        flags: '--window',
        description: 'in a new window of the tmux around this terminal, or in the one that shows it',
      },
    ],
    run: async (context) => (await import('../commands/attach.js')).attach(context),
  },
  {
    name: 'send',
    group: 'Work with sessions',
    description: 'send a text to the agent; it arrives once and in order, even during a rescue',
    args: [session, { name: '[text...]', description: 'the text, or - to read it from stdin' }],
    options: [
      { flags: '--wait', description: 'wait for the answer, and print it' },
      { flags: '--taken', description: 'return when the agent has taken the text, or finished the command' },
      { flags: '--command', description: "run one of the agent's own commands, such as /compact" },
      { flags: '--file <path>', description: 'read the text from a file' },
    ],
    examples: [
      'outpool send docs "Also mention the flags"',
      'git diff | outpool send review -',
      'outpool send docs --command /compact',
    ],
    run: async (context) => (await import('../commands/send.js')).send(context),
  },
  {
    name: 'wait',
    group: 'Work with sessions',
    description: 'wait until the session is idle, or for its next answer',
    args: [session],
    options: [
      { flags: '--idle', description: 'until its turn is over and no text waits (the default)' },
      { flags: '--answer', description: 'until its next answer, and print it' },
      { flags: '--timeout <duration>', description: 'fail after this time, such as 10m' },
    ],
    run: async (context) => (await import('../commands/wait.js')).wait(context),
  },
  {
    name: 'answer',
    group: 'Work with sessions',
    description: 'answer the question that the agent asks now, with the number of a choice or with words',
    args: [session, { name: '<answer...>', description: 'number of a choice (1,3 for several), or words' }],
    options: [
      {
        flags: '--question <digest>',
        description: 'answer only if the agent still asks this question (digest from show --json)',
      },
      { flags: '--json', description: 'print the result as JSON' },
    ],
    examples: ['outpool answer docs 2', 'outpool answer docs "neither: make it grey"'],
    run: async (context) => (await import('../commands/answer.js')).answer(context),
  },
  {
    name: 'rescue',
    group: 'Control sessions',
    description: 'treat the session as walled: move it to the best account now',
    args: [session],
    run: async (context) => (await import('../commands/move.js')).rescue(context),
  },
  {
    name: 'move',
    group: 'Control sessions',
    description: 'move the session to an account',
    args: [session],
    options: [{ flags: '--to <account>', description: 'the account to move to', completion: 'account' }],
    run: async (context) => (await import('../commands/move.js')).move(context),
  },
  {
    name: 'pause',
    group: 'Control sessions',
    description: 'stop the process and keep the session',
    args: [session],
    run: async (context) => (await import('../commands/phase.js')).pause(context),
  },
  {
    name: 'resume',
    group: 'Control sessions',
    description: 'continue a paused or stopped session',
    args: [session],
    run: async (context) => (await import('../commands/phase.js')).resume(context),
  },
  {
    name: 'stop',
    group: 'Control sessions',
    description: 'end the session; its conversation is kept',
    args: [{ ...session, name: '[name]' }],
    options: [
      { flags: '--all', description: 'every session, after asking' },
      { flags: '--yes', description: 'with --all: do not ask' },
    ],
    run: async (context) => (await import('../commands/phase.js')).stop(context),
  },
  {
    name: 'forget',
    group: 'Control sessions',
    description: 'take an ended session off the list; its conversation is kept, and its name is free',
    args: [{ ...session, name: '[name]' }],
    options: [
      { flags: '--ended', description: 'every session that has ended' },
      { flags: '--json', description: 'print what was forgotten as JSON' },
    ],
    run: async (context) => (await import('../commands/forget.js')).forget(context),
  },
  {
    name: 'release',
    group: 'Control sessions',
    description: 'give the session back to you: its process goes on in its pane, without Outpool',
    args: [session],
    options: [{ flags: '--json', description: 'print the result as JSON' }],
    run: async (context) => (await import('../commands/release.js')).release(context),
  },
  {
    name: 'accounts',
    group: 'Accounts',
    description: 'list accounts with their windows and walls, or change those of outpool.yaml',
    args: [
      {
        name: '[what]',
        description: 'add, remove, drain or enable',
        choices: ['add', 'remove', 'drain', 'enable'],
      },
      { name: '[name]', description: 'name of the account', completion: 'account' },
    ],
    options: [
      {
        flags: '--config-dir <dir>',
        description: 'add: its config dir (default: ~/.claude-NAME)',
        completion: 'folder',
      },
      {
        flags: '--ceiling <share>',
        description: 'add: leave the rest of its windows to a person, such as 80%',
      },
      { flags: '--max-sessions <n>', description: 'add: the most sessions at a time' },
      { flags: '--reserved', description: 'add: for the healer, and for no session of the pool' },
      { flags: '--force', description: 'remove: even if it is not empty, or not known to be' },
      json,
    ],
    examples: [
      'outpool accounts add max-3 --ceiling 80%',
      'outpool accounts drain max-1   # its sessions leave it at the end of their turns',
    ],
    run: async (context) =>
      context.args.length === 0
        ? (await import('../commands/accounts.js')).accounts(context)
        : (await import('../commands/editAccounts.js')).editAccounts(context),
  },
  {
    name: 'forecast',
    group: 'Accounts',
    description: 'say when accounts and pool run out, and what would change that',
    options: [
      {
        flags: '--accounts <difference>',
        description: 'as if there were more accounts, such as +1, or fewer',
      },
      { flags: '--sessions <number>', description: 'as if so many sessions were running' },
      json,
    ],
    examples: ['outpool forecast --accounts +1', 'outpool forecast --sessions 12'],
    run: async (context) => (await import('../commands/forecast.js')).forecast(context),
  },
  {
    name: 'usage',
    group: 'Accounts',
    description: 'sum up the tokens that sessions of this host have used, and what they would cost',
    options: [
      { flags: '--by <what>', description: 'session (the default), account or day' },
      { flags: '--since <time>', description: 'a duration (default: 7d), or an instant' },
      json,
    ],
    examples: ['outpool usage --by day --since 30d'],
    run: async (context) => (await import('../commands/usage.js')).usage(context),
  },
  {
    name: 'services',
    group: 'Tasks and services',
    description: 'list guarded services',
    options: [
      {
        flags: '--pause <name>',
        description: 'keep checking this service, but do not touch it',
        completion: 'service',
      },
      { flags: '--resume <name>', description: 'guard it again', completion: 'service' },
      {
        flags: '--restart <name>',
        description: 'end and start it now, whether or not it is well',
        completion: 'service',
      },
      json,
    ],
    run: async (context) => (await import('../commands/services.js')).services(context),
  },
  {
    name: 'check',
    group: 'Tasks and services',
    description: 'check a service now; exits with 0 if it is well or busy',
    args: [{ name: '<service>', description: 'name of the service', completion: 'service' }],
    options: [json],
    run: async (context) => (await import('../commands/check.js')).check(context),
  },
  {
    name: 'beat',
    group: 'Tasks and services',
    description: 'write the heartbeat of a service, called by the service itself',
    args: [{ name: '<service>', description: 'name of the service', completion: 'service' }],
    options: [
      { flags: '--doing <text>', description: 'what the service is doing, in a few words' },
      { flags: '--pid <pid>', description: 'its process (default: the parent of this command)' },
    ],
    run: async (context) => (await import('../commands/beat.js')).beat(context),
  },
  {
    name: 'incidents',
    group: 'Tasks and services',
    description: 'list incidents of services, or show the report of one',
    args: [
      { name: '[what]', description: 'show, to print the report of one incident', choices: ['show'] },
      { name: '[n]', description: 'number of the incident' },
    ],
    options: [json],
    examples: ['outpool incidents show 3'],
    run: async (context) => (await import('../commands/incidents.js')).incidents(context),
  },
  {
    name: 'tasks',
    group: 'Tasks and services',
    description: 'list the tasks of the loop with the results of their newest runs',
    options: [
      { flags: '--pause <task>', description: 'stop running this task on schedule', completion: 'task' },
      { flags: '--resume <task>', description: 'run this task on schedule again', completion: 'task' },
      json,
    ],
    run: async (context) => (await import('../commands/tasks.js')).tasks(context),
  },
  {
    name: 'run',
    group: 'Tasks and services',
    description: 'run a task now and wait until it ends',
    args: [{ name: '<task>', description: 'name of the task', completion: 'task' }],
    options: [{ flags: '--detach', description: 'do not wait' }],
    run: async (context) => (await import('../commands/run.js')).run(context),
  },
  {
    name: 'notices',
    group: 'Set up',
    description: 'send a test message through each configured channel, and say what became of it',
    args: [{ name: '<what>', description: 'test', choices: ['test'] }],
    options: programFlags.notices.map(optionOf),
    examples: ['outpool notices test'],
    run: runOnHost('notices'),
  },
  {
    name: 'worker',
    group: 'Set up',
    description: 'run only a worker, with an engine that is already running',
    options: programFlags.worker.map(optionOf),
    run: runOnHost('worker'),
  },
  {
    name: 'ui',
    group: 'Set up',
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
    group: 'Set up',
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
    group: 'Set up',
    description: 'check everything that Outpool needs, and say how to fix each problem',
    withoutConfig: true,
    options: programFlags.doctor.map(optionOf),
    run: runOnHost('doctor'),
  },
  {
    name: 'rehearse',
    group: 'Set up',
    description: 'check that the installed agent program behaves as Outpool expects, against a stand-in',
    withoutConfig: true,
    options: programFlags.rehearse.map(optionOf),
    run: runOnHost('rehearse'),
  },
  {
    name: 'demo',
    group: 'Set up',
    description: 'show a session that hits the wall and continues on another account; no account needed',
    withoutConfig: true,
    options: programFlags.demo.map(optionOf),
    run: runOnHost('demo'),
  },
  {
    name: 'trust',
    group: 'Set up',
    description: "show what a project's own settings make an agent do, and allow it until they change",
    withoutConfig: true,
    args: [{ name: '<path>', description: 'folder of the project', completion: 'folder' }],
    options: programFlags.trust.filter(({ value }) => value === null).map(optionOf),
    run: async (context) => (await import('../commands/trust.js')).trust(context),
  },
  {
    name: 'key',
    group: 'Set up',
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
  {
    name: 'drill',
    group: 'Accounts',
    description: 'prove that sessions survive a spent pool: a test session falls back, answers and returns',
    options: [
      { flags: '--dry-run', description: 'only print what it would do' },
      { flags: '--json', description: 'print the report as JSON' },
    ],
    run: async (context) => (await import('../commands/drill.js')).drill(context),
  },
  {
    name: 'completion',
    group: 'Set up',
    description: 'print the completion script of a shell',
    withoutConfig: true,
    args: [{ name: '<shell>', description: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] }],
    examples: [
      'source <(outpool completion bash)',
      'outpool completion fish > ~/.config/fish/completions/outpool.fish',
    ],
    run: async (context) => (await import('../commands/completion.js')).completion(context, commandTree),
  },
]
