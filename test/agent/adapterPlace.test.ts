/** What the adapter reads from and writes into a config dir, and the plan of a launch. No agent program runs here. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import lockfile from 'proper-lockfile'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { LaunchInput } from '../../agents/adapter/launch.js'
import type { Place } from '../../agents/adapter/place.js'
import { agentNamed } from '../../agents/index.js'
import { AgentFileError, AgentProgramError, UnknownAgentError } from '../../agents/errors.js'
import { probeEnv } from '../../agents/claude-code/launch/env.js'
import { statusLineWindows, usageTextWindows } from '../../agents/claude-code/limits/quota.js'
import { trustedFolder } from '../../agents/claude-code/setup/trust.js'

const adapter = agentNamed('claude-code')
const dir = realpathSync(mkdtempSync(join(tmpdir(), 'adapter-place-')))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let n = 0
const fresh = (): string => {
  const folder = join(dir, `${++n}`)
  mkdirSync(folder, { recursive: true })
  return folder
}
const place = (env: Record<string, string> = {}): Place => ({
  kind: 'account',
  name: 'a',
  configDir: fresh(),
  env: { HOME: join(dir, 'home'), ...env },
})
const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
const write = (file: string, content: unknown): void => writeFileSync(file, JSON.stringify(content))

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

describe('what a person has answered for a project on another login', () => {
  const approved = {
    hasClaudeMdExternalIncludesApproved: true,
    hasClaudeMdExternalIncludesWarningShown: true,
  }
  const refused = { ...approved, hasClaudeMdExternalIncludesApproved: false }
  const answered = (projects: Record<string, object>, settings: object = {}): Place => {
    const target = place()
    write(join(target.configDir, '.claude.json'), { projects })
    write(join(target.configDir, 'settings.json'), settings)
    return target
  }
  const projectOf = (target: Place, cwd: string): unknown =>
    (json(join(target.configDir, '.claude.json')) as { projects: Record<string, unknown> }).projects[cwd]

  it('is copied, for this project alone, from the first place that has an answer', async () => {
    const cwd = fresh()
    const target = answered({ [cwd]: { allowedTools: ['x'] } })
    const silent = answered({ [fresh()]: approved })
    await adapter.prepare(target, cwd, [silent, answered({ [cwd]: refused }), answered({ [cwd]: approved })])
    expect(projectOf(target, cwd)).toEqual({ allowedTools: ['x'], ...refused, hasTrustDialogAccepted: true })
  })

  it('law 5: overwrites no answer, and decides nothing that no person has answered', async () => {
    const cwd = fresh()
    const target = answered({ [cwd]: refused })
    await adapter.prepare(target, cwd, [answered({ [cwd]: approved })])
    expect(projectOf(target, cwd)).toEqual({ ...refused, hasTrustDialogAccepted: true })
    const other = answered({})
    await adapter.prepare(other, cwd, [answered({ [cwd]: {} })])
    expect(projectOf(other, cwd)).toEqual({ hasTrustDialogAccepted: true })
  })

  it("about the project's MCP servers goes along with the launch, unless it is answered here or in the project", async () => {
    const cwd = fresh()
    const servers = ['one', 'two', 'three', 'four', 'five']
    write(join(cwd, '.mcp.json'), { mcpServers: Object.fromEntries(servers.map((name) => [name, {}])) })
    mkdirSync(join(cwd, '.claude'))
    write(join(cwd, '.claude', 'settings.local.json'), { disabledMcpjsonServers: ['three'] })
    const target = answered({}, { disabledMcpjsonServers: ['two'] })
    const from = answered(
      { [cwd]: { enabledMcpjsonServers: ['five'] } },
      {
        enabledMcpjsonServers: ['one', 'two', 'three', 'of another project'],
        disabledMcpjsonServers: ['four'],
      },
    )
    const launchDir = fresh()
    const input = {
      ...{ place: target, session: 's', sessionId: 'id', fence: 1, cwd, model: null, mode: 'new' as const },
      ...{ prompt: null, launchDir, reportDir: fresh(), command: { command: 'claude', args: [], env: {} } },
    }
    await adapter.planLaunch({ ...input, answeredAt: [from] })
    expect(json(join(launchDir, 'settings.json'))).toMatchObject({
      enabledMcpjsonServers: ['one', 'five'],
      disabledMcpjsonServers: ['four'],
    })
    await adapter.planLaunch(input)
    expect(json(join(launchDir, 'settings.json'))).not.toHaveProperty('enabledMcpjsonServers')
  })
})

describe('preparing a place', () => {
  it('keeps every unknown key, the file mode, and what is set already', async () => {
    const target = place({ ANTHROPIC_API_KEY: 'made-up-key-0123456789abcdefghij' })
    const [file, cwd] = [join(target.configDir, '.claude.json'), fresh()]
    const before = {
      numStartups: 7,
      oauthAccount: { accountUuid: 'u' },
      customApiKeyResponses: { approved: ['other'], rejected: ['0123456789abcdefghij'], seen: 1 },
      projects: { '/elsewhere': { hasTrustDialogAccepted: false }, [cwd]: { allowedTools: ['x'] } },
    }
    write(file, before)
    chmodSync(file, 0o640)
    await adapter.prepare(target, cwd)
    expect(json(file)).toEqual({
      ...before,
      hasCompletedOnboarding: true,
      resumeReturnDismissed: true,
      customApiKeyResponses: { approved: ['other', '0123456789abcdefghij'], rejected: [], seen: 1 },
      projects: {
        '/elsewhere': { hasTrustDialogAccepted: false },
        [cwd]: { allowedTools: ['x'], hasTrustDialogAccepted: true },
      },
    })
    expect(statSync(file).mode & 0o777).toBe(0o640)
    const { ino, mtimeMs } = statSync(file)
    await adapter.prepare(target, cwd)
    expect(statSync(file)).toMatchObject({ ino, mtimeMs })
    expect(readdirSync(target.configDir)).toEqual(['.claude.json'])
  })

  it('loses nothing that others write at the same time under the same lock', async () => {
    const target = place()
    const file = join(target.configDir, '.claude.json')
    write(file, { counter: 0 })
    const count = async (): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        const release = await lockfile.lock(file, {
          realpath: false,
          retries: { retries: 100, minTimeout: 2, maxTimeout: 20 },
        })
        const config = z.looseObject({ counter: z.number() }).parse(json(file))
        write(file, { ...config, counter: config.counter + 1 })
        await release()
      }
    }
    const folders = Array.from({ length: 15 }, fresh)
    await Promise.all([count(), ...folders.map((cwd) => adapter.prepare(target, cwd))])
    const config = z
      .looseObject({ counter: z.number(), projects: z.record(z.string(), z.unknown()) })
      .parse(json(file))
    expect(config.counter).toBe(40)
    expect(Object.keys(config.projects).sort()).toEqual([...folders].sort())
  })

  it('waits for a lock that is held, and does not break it', async () => {
    const target = place()
    const file = join(target.configDir, '.claude.json')
    write(file, {})
    const release = await lockfile.lock(file, { realpath: false })
    let done = false
    const prepared = adapter.prepare(target, fresh()).then(() => (done = true))
    // Long enough to show up if it did not wait: others are prepared meanwhile, one after the other.
    for (let i = 0; i < 5; i++) await adapter.prepare(place(), fresh())
    expect(done).toBe(false)
    expect(json(file)).toEqual({})
    await release()
    await prepared
    expect(json(file)).toMatchObject({ hasCompletedOnboarding: true })
  })

  it('a broken file is named, and left unchanged', async () => {
    const target = place()
    writeFileSync(join(target.configDir, '.claude.json'), '{"half":')
    await expect(adapter.prepare(target, dir)).rejects.toThrow(AgentFileError)
    expect(readFileSync(join(target.configDir, '.claude.json'), 'utf8')).toBe('{"half":')
  })

  it('the default set-up keeps its file beside the folder', async () => {
    const home = fresh()
    mkdirSync(join(home, '.claude'))
    const target: Place = {
      kind: 'account',
      name: 'a',
      configDir: join(home, '.claude'),
      env: { HOME: home },
    }
    write(join(home, '.claude.json'), { oauthAccount: { accountUuid: 'mine' } })
    await adapter.prepare(target, dir)
    expect(json(join(home, '.claude.json'))).toMatchObject({ hasCompletedOnboarding: true })
    expect(existsSync(join(home, '.claude', '.claude.json'))).toBe(false)
    expect(await adapter.readIdentity(target)).toMatchObject({ identity: 'mine' })
  })
})

describe('the folder to trust', () => {
  it('is the repository, or the main one of a linked worktree, or the folder itself', async () => {
    const root = fresh()
    const inside = join(root, 'repository', 'a', 'b')
    mkdirSync(inside, { recursive: true })
    expect(await trustedFolder(inside)).toBe(inside)
    const gitDir = join(root, 'repository', '.git', 'worktrees', 'tree')
    mkdirSync(gitDir, { recursive: true })
    expect(await trustedFolder(inside)).toBe(join(root, 'repository'))
    const tree = join(root, 'tree')
    mkdirSync(join(tree, 'src'), { recursive: true })
    writeFileSync(join(tree, '.git'), `gitdir: ${gitDir}\n`)
    writeFileSync(join(gitDir, 'commondir'), '../..\n')
    expect(await trustedFolder(join(tree, 'src'))).toBe(join(root, 'repository'))
    const submodule = join(root, 'repository', 'module')
    mkdirSync(submodule)
    writeFileSync(join(submodule, '.git'), 'gitdir: ../.git/modules/module\n')
    expect(await trustedFolder(submodule)).toBe(submodule)
    symlinkSync(inside, join(root, 'link'))
    expect(await trustedFolder(join(root, 'link'))).toBe(join(root, 'repository'))
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
    settingsSchema.parse(json(argv[argv.indexOf('--settings') + 1]!))

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
      write(file, { statusLine: { type: 'command', command: `it's ${i}`, padding: i, refreshInterval: 9 } })
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
    write(join(launchInput.cwd, 'my.json'), {
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

describe('quota', () => {
  const at = '2026-11-22T03:00:00.000Z'

  it('of a status line: whichever windows it has', () => {
    const limits = {
      five_hour: { used_percentage: 104.2, resets_at: 1795296250 },
      seven_day: { used_percentage: 61 },
    }
    expect(statusLineWindows({ rate_limits: limits }, at)).toEqual([
      { name: 'five_hour', used: 1, resetsAt: '2026-11-21T21:24:10.000Z', readAt: at, source: 'status-line' },
      { name: 'seven_day', used: 0.61, resetsAt: null, readAt: at, source: 'status-line' },
    ])
    for (const odd of [null, {}, { rate_limits: null }, { rate_limits: { five_hour: null, other: 4 } }])
      expect(statusLineWindows(odd, at)).toEqual([])
  })

  it('of /usage as it is printed', () => {
    const text = [
      'You are currently using your subscription to power your Claude Code usage',
      'Current session: 33% used · resets Nov 22, 11am (UTC)',
      'Current week (all models): 13% used · resets Nov 27, 1am (UTC)',
      'Current week (Sonnet only): 2% used · resets Nov 27, 1am (UTC)',
      'Current week (something new here): 2% used',
    ].join('\n')
    expect(usageTextWindows(text, at).map(({ name, used, resetsAt }) => [name, used, resetsAt])).toEqual([
      ['five_hour', 0.33, '2026-11-22T11:00:00.000Z'],
      ['seven_day', 0.13, '2026-11-27T01:00:00.000Z'],
      ['seven_day_sonnet', 0.02, '2026-11-27T01:00:00.000Z'],
    ])
  })

  const cached = (accountUuid: string): object => ({
    fetchedAtMs: Date.parse(at),
    accountUuid,
    utilization: {
      five_hour: { utilization: 33, resets_at: '2026-11-22T06:00:00.123456+01:00' },
      seven_day: { utilization: 100, resets_at: '2026-11-27T01:00:00' },
      seven_day_opus: null,
      seven_day_sonnet: { utilization: 0, resets_at: null },
      seven_day_oauth_apps: { utilization: 100, resets_at: null },
      extra_usage: { is_enabled: true, utilization: 12 },
    },
  })

  it('of .claude.json: dated when the data was fetched, not when it was read', async () => {
    const target = place()
    write(join(target.configDir, '.claude.json'), {
      oauthAccount: { accountUuid: 'u', emailAddress: 'a@example.com' },
      cachedUsageUtilization: cached('u'),
    })
    const base = { readAt: at, source: 'config-cache' }
    expect(await adapter.readIdentity(target)).toEqual({
      identity: 'u',
      email: 'a@example.com',
      windows: [
        { ...base, name: 'five_hour', used: 0.33, resetsAt: '2026-11-22T05:00:00.123Z' },
        { ...base, name: 'seven_day', used: 1, resetsAt: '2026-11-27T01:00:00.000Z' },
        { ...base, name: 'seven_day_sonnet', used: 0, resetsAt: null },
      ],
    })
  })

  it('law 4: numbers of an earlier login, or of a login that does not answer, are ignored', async () => {
    const target = place()
    const config = { oauthAccount: { accountUuid: 'u' }, cachedUsageUtilization: cached('somebody-else') }
    write(join(target.configDir, '.claude.json'), config)
    expect(await adapter.readIdentity(target)).toMatchObject({ identity: 'u', windows: [] })
    const keyed = { ...target, env: { CLAUDE_CODE_OAUTH_TOKEN: 'made-up' } }
    expect(await adapter.readIdentity(keyed)).toEqual({ identity: null, email: null, windows: [] })
    expect(await adapter.readIdentity(place())).toEqual({ identity: null, email: null, windows: [] })
  })
})

describe('live states', () => {
  it('law 6: dead processes and stale files are left out, unknown words count as busy', async () => {
    const target = place()
    mkdirSync(join(target.configDir, 'sessions'))
    const child = spawn('sleep', ['60'])
    const pid = child.pid ?? 0
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const procStart = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    const put = (name: string, content: object): void =>
      write(join(target.configDir, 'sessions', name), {
        sessionId: 's',
        statusUpdatedAt: 1795292619783,
        ...content,
      })
    put(`${pid}.json`, { pid, procStart, status: 'waiting', waitingFor: 'dialog open' })
    put('1.json', { pid, procStart: '1', status: 'idle' })
    put('2.json', { pid, procStart, status: 'pondering' })
    put('notes.txt', { pid, procStart, status: 'idle' })
    writeFileSync(join(target.configDir, 'sessions', '3.json'), '{"pid":')
    const at = '2026-11-21T20:23:39.783Z'
    const states = await adapter.readLiveStates(target)
    expect(states).toHaveLength(2)
    expect(states).toContainEqual({
      pid,
      sessionId: 's',
      activity: 'waiting',
      waitingFor: 'dialog open',
      updatedAt: at,
    })
    expect(states).toContainEqual({ pid, sessionId: 's', activity: 'busy', waitingFor: null, updatedAt: at })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    child.kill('SIGKILL')
    await ended
    expect(await adapter.readLiveStates(target)).toEqual([])
  })
})
