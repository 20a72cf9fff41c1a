/** The program that an adapter runs, and its plan of a launch. No agent program runs here. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { LaunchInput } from '../../agents/adapter/launch.js'
import type { Place } from '../../agents/adapter/place.js'
import { agentNamed } from '../../agents/index.js'
import { AgentFileError, AgentProgramError, UnknownAgentError } from '../../agents/errors.js'
import { probeEnv } from '../../agents/claude-code/launch/env.js'
import { testPlaces, readJson, writeJson } from './places.js'

const adapter = agentNamed('claude-code')
const { dir, fresh, place } = testPlaces()

describe('agents by name', () => {
  it('an unknown one is refused, and the known ones are listed', () => {
    expect(() => agentNamed('clod')).toThrow(UnknownAgentError)
    expect(() => agentNamed('clod')).toThrow(/no adapter for the agent "clod"/)
  })

  it('a missing program is named', async () => {
    await expect(adapter.version({ command: 'no-such-program-here', args: [], env: {} })).rejects.toThrow(
      AgentProgramError,
    )
    await expect(adapter.version({ command: 'true', args: [], env: {} })).rejects.toThrow(
      /does not print its version/,
    )
  })
})

describe('the plan of a launch', () => {
  const input = (more: Partial<LaunchInput> = {}): LaunchInput => ({
    place: place(),
    command: { command: 'claude', args: [], env: {} },
    session: 'garden',
    sessionId: '11111111-2222-4333-8444-555555555555',
    fence: 7,
    cwd: fresh(),
    model: null,
    mode: 'new',
    prompt: null,
    launchDir: join(fresh(), 'launch'),
    reportDir: join(fresh(), 'reports'),
    baseEnv: {},
    ...more,
  })
  const settingsSchema = z.looseObject({
    statusLine: z.looseObject({ command: z.string() }),
    hooks: z.record(
      z.string(),
      z.array(z.looseObject({ hooks: z.array(z.looseObject({ command: z.string() })) })),
    ),
  })
  const settingsOf = (argv: string[]): z.output<typeof settingsSchema> =>
    settingsSchema.parse(readJson(argv[argv.indexOf('--settings') + 1]!))

  it('names the conversation, the model, the user’s arguments and the prompt, in an order in which none swallows another', async () => {
    const command = { command: 'claude', args: ['--allowedTools', 'Bash', 'Edit'], env: {} }
    const begun = await adapter.planLaunch(input({ command, model: 'opus', prompt: '--help me' }))
    expect(begun.argv.filter((argument) => !argument.endsWith('settings.json'))).toEqual([
      'claude',
      '--settings',
      '--session-id',
      '11111111-2222-4333-8444-555555555555',
      '--model',
      'opus',
      '--allowedTools',
      'Bash',
      'Edit',
      '--',
      '--help me',
    ])
    const resumed = await adapter.planLaunch(input({ mode: 'resume' }))
    expect(resumed.argv.slice(3)).toEqual(['--resume', '11111111-2222-4333-8444-555555555555'])
  })

  it('law 12 and 11: the environment is the worker’s, without what selects another login or reveals its secrets', async () => {
    const kept = {
      PATH: '/bin',
      HOME: '/home/me',
      LANG: 'C',
      SSH_AUTH_SOCK: '/s',
      AWS_PROFILE: 'mine',
      HTTPS_PROXY: 'p',
    }
    const withheld = [
      'CLAUDECODE',
      'CLAUDE_CODE_CHILD_SESSION',
      'CLAUDE_CODE_OAUTH_TOKEN',
      'CLAUDE_CODE_USE_BEDROCK',
      'CLAUDE_CONFIG_DIR',
      'CLAUDE_SECURESTORAGE_CONFIG_DIR',
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_AUTH_TOKEN',
      'ANTHROPIC_BASE_URL',
      'OUTPOOL_HAIKU_KEY',
      'OUTPOOL_HOME',
      'TEMPORAL_API_KEY',
      'TMUX',
      'TMUX_PANE',
      'npm_config_x',
      'NODE_OPTIONS',
      'INIT_CWD',
      'NOTIFY_SOCKET',
    ]
    const baseEnv = {
      ...kept,
      ...Object.fromEntries(withheld.map((name) => [name, 'of the worker'])),
      GONE: undefined,
    }
    const launchInput = input({ baseEnv, place: place({ ANTHROPIC_API_KEY: 'of the place' }) })
    launchInput.command.env['ANTHROPIC_BASE_URL'] = 'of the command'
    const { env } = await adapter.planLaunch(launchInput)
    expect(env).toEqual({
      ...kept,
      HOME: join(dir, 'home'),
      TERM: 'screen-256color',
      COLORTERM: 'truecolor',
      TZ: 'UTC',
      ANTHROPIC_API_KEY: 'of the place',
      ANTHROPIC_BASE_URL: 'of the command',
      CLAUDE_CONFIG_DIR: launchInput.place.configDir,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
      DISABLE_AUTOUPDATER: '1',
      OUTPOOL_SESSION: 'garden',
      OUTPOOL_FENCE: '7',
      VISUAL: join(launchInput.launchDir, 'editor', 'vi'),
    })
  })

  it('the editor of the agent is the person’s own, except for a draft that Outpool asks for', async () => {
    const editor = join(dir, 'own-editor')
    writeFileSync(editor, '#!/bin/sh\nprintf "%s|" "$@" > "$0.args"\n', { mode: 0o755 })
    const launchInput = input({ baseEnv: { PATH: process.env['PATH'], EDITOR: `${editor} --wait` } })
    const { env } = await adapter.planLaunch(launchInput)
    const draft = join(dir, 'a draft')
    writeFileSync(draft, 'half a\nthought')
    const open = () => execFileSync(env['VISUAL']!, ['+2', draft], { env: { PATH: process.env['PATH'] } })
    open()
    expect(readFileSync(`${editor}.args`, 'utf8')).toBe(`--wait|+2|${draft}|`)
    const drafts = join(launchInput.launchDir, 'drafts')
    mkdirSync(drafts, { recursive: true })
    writeFileSync(join(drafts, 'wanted'), '')
    rmSync(`${editor}.args`)
    open()
    expect(readFileSync(join(drafts, 'draft'), 'utf8')).toBe('half a\nthought')
    expect(existsSync(`${editor}.args`)).toBe(false)
  })

  it('the default set-up runs without CLAUDE_CONFIG_DIR, and a probe with the usage endpoint allowed', async () => {
    const home = fresh()
    mkdirSync(join(home, 'real'))
    symlinkSync(join(home, 'real'), join(home, '.claude'))
    const standard: Place = { kind: 'account', name: 'a', configDir: join(home, 'real'), env: { HOME: home } }
    const launchInput = input({ place: standard, baseEnv: { CLAUDE_CONFIG_DIR: '/x' } })
    expect((await adapter.planLaunch(launchInput)).env).not.toHaveProperty('CLAUDE_CONFIG_DIR')
    const probing = probeEnv(standard, {
      ...launchInput.command,
      baseEnv: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
    })
    expect(probing).not.toHaveProperty('CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC')
    expect(probing).not.toHaveProperty('CLAUDE_CONFIG_DIR')
  })

  it('a prompt too long for one argument waits in a private file that the agent may read', async () => {
    const prompt = 'ü'.repeat(100_000)
    const { argv } = await adapter.planLaunch(input({ prompt }))
    expect(Math.max(...argv.map((argument) => Buffer.byteLength(argument)))).toBeLessThan(128 * 1024)
    const file = /file (\S+):/.exec(argv.at(-1)!)?.[1] ?? ''
    expect(readFileSync(file, 'utf8')).toBe(prompt)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const settings: unknown = JSON.parse(readFileSync(argv[argv.indexOf('--settings') + 1]!, 'utf8'))
    expect(settings).toMatchObject({ permissions: { additionalDirectories: [dirname(file)] } })
  })

  it("runs the user's status line that applies without Outpool, the nearest first, with its own options", async () => {
    const launchInput = input()
    const layers = [
      join(launchInput.place.configDir, 'settings.json'),
      join(launchInput.cwd, '.claude', 'settings.json'),
      join(launchInput.cwd, '.claude', 'settings.local.json'),
    ]
    mkdirSync(join(launchInput.cwd, '.claude'))
    const before = settingsOf((await adapter.planLaunch(launchInput)).argv).statusLine
    expect(before.command).toMatch(/report\.sh \S+ StatusLine garden 7 newest$/)
    expect(before).not.toHaveProperty('refreshInterval')
    for (const [i, file] of layers.entries()) {
      writeJson(file, {
        statusLine: { type: 'command', command: `it's ${i}`, padding: i, refreshInterval: 9 },
      })
      expect(settingsOf((await adapter.planLaunch(launchInput)).argv).statusLine).toMatchObject({
        command: expect.stringMatching(`StatusLine garden 7 newest 'it'\\\\''s ${i}'$`) as string,
        padding: i,
        refreshInterval: 9,
      })
    }
    launchInput.command.args.push('--setting-sources', 'user')
    expect(settingsOf((await adapter.planLaunch(launchInput)).argv).statusLine).toMatchObject({ padding: 0 })
  })

  it('law 5: a hook whose script is missing during an upgrade refuses no prompt of a person', async () => {
    const { hooks } = settingsOf((await adapter.planLaunch(input())).argv)
    const [prompt] = hooks['UserPromptSubmit']![0]!.hooks
    const command = prompt!.command.replaceAll('report.sh', 'replaced.sh')
    expect(command).not.toBe(prompt!.command)
    expect(spawnSync('/bin/sh', ['-c', command], { input: '{}' }).status).toBe(0)
  })

  it('settings among the user’s own arguments are merged: the program would read one file only', async () => {
    const launchInput = input()
    const stop = [{ hooks: [{ type: 'command', command: 'mine' }] }]
    writeJson(join(launchInput.cwd, 'my.json'), {
      model: 'opus',
      hooks: { Stop: stop, PreToolUse: stop },
      autoContinueAtUsageLimit: true,
    })
    launchInput.command.args.push('--settings', 'my.json', '--verbose')
    const { argv } = await adapter.planLaunch(launchInput)
    expect(argv.filter((argument) => argument === '--settings')).toHaveLength(1)
    expect(argv).toContain('--verbose')
    const settings = settingsOf(argv)
    expect(settings).toMatchObject({
      model: 'opus',
      autoContinueAtUsageLimit: false,
      cleanupPeriodDays: 36_500,
    })
    expect(settings).not.toHaveProperty('skipDangerousModePermissionPrompt')
    expect(settings.hooks['Stop']?.map(({ hooks }) => hooks[0]?.command)).toEqual([
      'mine',
      expect.stringMatching(/ Stop garden 7 newest$/),
    ])
    expect(settings.hooks['PreToolUse']).toEqual(stop)
    await expect(
      adapter.planLaunch(input({ command: { ...launchInput.command, args: ['--settings={broken'] } })),
    ).rejects.toThrow(AgentFileError)
  })

  it.each([
    [['--dangerously-skip-permissions']],
    [['--permission-mode', 'bypassPermissions']],
    [['--permission-mode=bypassPermissions']],
  ])('the warning about %j is skipped if the user asked for it', async (args) => {
    const { argv } = await adapter.planLaunch(input({ command: { command: 'claude', args, env: {} } }))
    expect(settingsOf(argv)).toMatchObject({ skipDangerousModePermissionPrompt: true })
  })
})
