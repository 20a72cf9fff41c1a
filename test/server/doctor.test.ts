/**
 * `outpool doctor` in a made-up home, with made-up logins. What asks other programs, and the whole, runs as the command line runs it: a
 * separate process. What only reads files is asked itself: each run of the command starts the agent program twice for a login.
 */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { z } from 'zod'
import { StandInAccount } from '../../lab/standin/account.js'
import { agentProgram, cleanAgentEnv } from '../../lab/standin/cleanEnv.js'
import { blankLogin, makeLogin } from '../../lab/standin/logins.js'
import type { Place } from '../../agents/adapter/place.js'
import { examinerOf } from '../../agents/index.js'
import { type Home, openHome } from '../../config/state/home.js'
import { checkClock } from '../../worker/doctor/clock.js'
import { checkConfigDir } from '../../worker/doctor/configuration.js'
import { differences } from '../../worker/doctor/differences.js'
import { checkPorts } from '../../worker/doctor/engine.js'
import type { EngineChoice } from '../../worker/engine/index.js'
import { checkNode, checkTmux } from '../../worker/doctor/programs.js'
import { checkWorker } from '../../worker/doctor/running.js'
import { devServer } from '../../lab/engine/engine.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'

const entry = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url))

const findingsSchema = z.array(
  z.strictObject({
    name: z.string(),
    state: z.enum(['ok', 'warn', 'fail']),
    found: z.string(),
    remedy: z.string().nullable(),
  }),
)
type Findings = z.output<typeof findingsSchema>

let dir: string
let env: Record<string, string>

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-doctor-'))
  env = {
    // A dead port: the login is checked without any network.
    ...cleanAgentEnv({ dir, baseUrl: 'http://127.0.0.1:9' }),
    TEMPORAL_CONFIG_FILE: '/dev/null',
    OUTPOOL_HOME: join(dir, 'state'),
    OUTPOOL_CONFIG: join(dir, 'outpool.yaml'),
    XDG_CACHE_HOME: join(dir, 'cache'),
  }
  delete env['ANTHROPIC_BASE_URL']
})
afterEach(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))

const examiner = examinerOf('claude-code')!
const placeOf = (name: string): Place => ({ kind: 'account', name, configDir: loginDir(name), env: {} })
const home = (): Home => openHome(env)

const loginDir = (name: string): string => join(dir, 'logins', name)

/** A config dir logged in as `as`; two with the same `as` are one login twice. */
function login(name: string, as = name, settings?: Record<string, unknown>): void {
  makeLogin(loginDir(name), new StandInAccount(as), settings === undefined ? {} : { settings })
}

function configure({
  pool = ['max-1', 'max-2'],
  reserved = ['medic'],
  ...more
}: {
  pool?: string[]
  reserved?: string[]
  agents?: Record<string, unknown>
} = {}): void {
  const entryOf = (name: string) => ({ name, configDir: loginDir(name) })
  const config = {
    pool: { name: 'main', accounts: pool.map(entryOf) },
    reserved: reserved.map(entryOf),
    agents: { 'claude-code': { command: agentProgram } },
    ...more,
  }
  writeFileSync(join(dir, 'outpool.yaml'), stringify(config), { mode: 0o600 })
}

function healthy(): void {
  for (const name of ['max-1', 'max-2', 'medic']) login(name)
  configure()
}

/** As `healthy`, with one login only: each costs two starts of the agent program. */
function healthyAndSmall(): void {
  login('max-1')
  configure({ pool: ['max-1'], reserved: [] })
}

/** A program with this name, first on the PATH. */
function program(name: string, text: string): string {
  const folder = join(dir, 'bin')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), text, { mode: 0o755 })
  env['PATH'] = `${folder}:${env['PATH'] ?? ''}`
  return join(folder, name)
}

function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, 'doctor', ...args], {
      ...{
        env,
        cwd: dir,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 180_000,
        killSignal: 'SIGKILL' as const,
      },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

async function examine(): Promise<{ code: number | null; findings: Findings }> {
  const { code, stdout, stderr } = await run('--json')
  try {
    return { code, findings: findingsSchema.parse(JSON.parse(stdout)) }
  } catch {
    throw new Error(`no findings; exit ${String(code)}\n${stdout}\n${stderr}`)
  }
}

const named = (findings: Findings, name: string): Findings => findings.filter((one) => one.name === name)
const failures = (findings: Findings): string[] =>
  findings.filter(({ state }) => state === 'fail').map(({ name }) => name)

describe('a host on which all is well', () => {
  it('exits 0 and shows as whom each account is logged in', async () => {
    healthy()
    const { code, findings } = await examine()
    expect(failures(findings)).toEqual([])
    expect(code).toBe(0)
    for (const name of ['max-1', 'max-2', 'medic'])
      expect(named(findings, `login ${name}`)).toMatchObject([
        { state: 'ok', found: `logged in as ${name}@example.com` },
      ])
    expect(named(findings, 'law 1')).toMatchObject([
      { state: 'ok', found: 'medic shares nothing with the pool' },
    ])
    for (const name of ['node', 'tmux', 'agent claude-code', 'configuration', 'engine', 'ports', 'worker'])
      expect(named(findings, name).map(({ state }) => state)).toEqual(['ok'])
    for (const { state, remedy } of findings) expect(remedy === null).toBe(state === 'ok')
  })

  it('prints aligned lines without colours into a pipe, and a sentence at the end', async () => {
    healthyAndSmall()
    const { code, stdout } = await run()
    expect(code).toBe(0)
    expect(stdout).not.toContain('\u001b')
    // The tokens and keys of all made-up logins contain this.
    expect(stdout).not.toContain('made-up')
    // It only reads: no file of an engine or a worker appears in the home.
    expect(readdirSync(join(dir, 'state')).sort()).toEqual([
      'events',
      'host.json',
      'incidents',
      'logs',
      'quota',
      'reports',
      'services',
      'sessions',
      'tasks',
    ])
    const lines = stdout.trimEnd().split('\n')
    const column = lines[0]!.indexOf(process.versions.node)
    expect(column).toBeGreaterThan(0)
    for (const line of lines.slice(0, -2)) expect(line[column - 1]).toBe(' ')
    expect(lines.at(-1)).toMatch(
      /^(All is well|Outpool can work): \d+ ok, (no|\d+) warnings?, no failures\.$/,
    )
  })
})

describe('programs', () => {
  /** A PATH that holds only what the test puts there. */
  function barePath(): void {
    mkdirSync(join(dir, 'bare'))
    env['PATH'] = join(dir, 'bare')
  }

  it('reports a missing tmux, and goes on with everything else', async () => {
    healthyAndSmall()
    barePath()
    const { code, findings } = await examine()
    expect(code).toBe(1)
    expect(failures(findings)).toEqual(['tmux'])
    expect(named(findings, 'tmux')[0]!.found).toBe('there is no tmux on the PATH')
    expect(named(findings, 'tmux')[0]!.remedy).toMatch(/Install tmux 3\.2/)
    expect(named(findings, 'login max-1')[0]!.state).toBe('ok')
    // Without Python the engine can still be downloaded, so this is a warning only.
    expect(named(findings, 'python3')[0]!.state).toBe('warn')
  })

  it.each([
    ['tmux 3.1c', 'fail'],
    ['tmux 3.2', 'ok'],
    ['tmux next-3.6', 'ok'],
    ['tmux master', 'ok'],
    ['tmux 2.9a', 'fail'],
  ])('judges %s: %s', async (version, state) => {
    program('tmux', `#!/bin/sh\necho "${version}"\n`)
    expect(await checkTmux(env)).toMatchObject({ state })
  })

  it.each([
    ['20.18.3', 'fail'],
    ['20.19.0', 'ok'],
    ['22.3.0', 'ok'],
  ])('judges Node.js %s: %s', (version, state) => expect(checkNode(version)).toMatchObject({ state }))

  it('reports a missing agent program, for the program and for each login', async () => {
    healthy()
    configure({ agents: { 'claude-code': { command: 'no-such-agent-program' } } })
    const { code, findings } = await examine()
    expect(code).toBe(1)
    expect(failures(findings)).toContain('agent claude-code')
    expect(named(findings, 'agent claude-code')[0]!.remedy).toMatch(/agents\.<agent>\.command/)
    expect(named(findings, 'law 1')[0]!.state).toBe('ok')
  })

  it('warns of an agent program that is too old to name the window that is used up', async () => {
    healthy()
    const old = program(
      'old-claude',
      `#!/bin/sh\n[ "$1" = --version ] && echo "2.1.197 (Claude Code)" && exit\nexec ${agentProgram} "$@"\n`,
    )
    configure({ agents: { 'claude-code': { command: old } } })
    const { code, findings } = await examine()
    expect(code).toBe(0)
    expect(named(findings, 'agent claude-code')[0]).toMatchObject({ state: 'warn' })
    expect(named(findings, 'agent claude-code')[0]!.found).toMatch(/2\.1\.197 .* older than 2\.1\.261/)
  })
})

describe('configuration', () => {
  it('reports every error of a wrong file with its line, and checks the host all the same', async () => {
    mkdirSync(loginDir('max-1'), { recursive: true })
    const text = `pool:\n  name: main\n  moveAt: lots\n  accounts:\n    - { name: max-1, configDir: ${loginDir('max-1')}, celing: 80% }\n`
    writeFileSync(join(dir, 'outpool.yaml'), text)
    const { code, findings } = await examine()
    expect(code).toBe(2)
    const faults = named(findings, 'configuration')
    expect(faults).toHaveLength(2)
    expect(faults[0]!.found).toMatch(/outpool\.yaml:3:\d+: pool\.moveAt/)
    expect(faults[1]!.remedy).toMatch(/did you mean ceiling/)
    expect(named(findings, 'accounts')[0]!.state).toBe('warn')
    expect(named(findings, 'disk of home')[0]!.state).toBe('ok')
    expect(named(findings, 'tmux')[0]!.state).toBe('ok')
  })

  it('says how to get a configuration if there is none', async () => {
    const { code, findings } = await examine()
    expect(code).toBe(2)
    expect(named(findings, 'configuration')[0]!.remedy).toMatch(/outpool init/)
  })

  it('reports a config dir that others can read', async () => {
    healthy()
    chmodSync(loginDir('max-1'), 0o777)
    chmodSync(join(loginDir('max-2'), '.credentials.json'), 0o644)
    const look = (name: string) => checkConfigDir(placeOf(name), examiner, process.getuid?.() ?? null)
    expect(await look('max-1')).toMatchObject([{ state: 'fail', remedy: `chmod go-w ${loginDir('max-1')}` }])
    expect(await look('max-2')).toMatchObject([{ state: 'warn' }])
    expect(await look('medic')).toMatchObject([{ state: 'ok' }])
  })

  it('finds settings under which Outpool would be blind, or another login would be used', async () => {
    healthy()
    login('max-1', 'max-1', { disableAllHooks: true, env: { ANTHROPIC_API_KEY: 'made-up-key-in-settings' } })
    login('max-2', 'max-2', { cleanupPeriodDays: 1, env: { CLAUDE_CODE_RETRY_WATCHDOG: '1' } })
    const { code, findings } = await examine()
    expect(code).toBe(1)
    const first = named(findings, 'settings max-1')
    expect(first.map(({ state }) => state)).toEqual(['fail', 'fail'])
    expect(first[0]!.found).toMatch(/^disableAllHooks in /)
    expect(first[1]!.found).toMatch(/^env\.ANTHROPIC_API_KEY in .* is used instead of the login/)
    const second = named(findings, 'settings max-2')
    expect(second.map(({ state }) => state)).toEqual(['warn', 'fail'])
    expect(named(findings, 'settings medic')).toEqual([])
    expect(JSON.stringify(findings)).not.toContain('made-up-key-in-settings')
  })

  it('law 4: names the settings that the installed program cannot use, before a session is sent there', async () => {
    healthy()
    login('max-1', 'max-1', { hooks: { NoSuchEvent: [] } })
    login('max-2', 'max-2', { cleanupPeriodDays: 'many', permissions: { defaultMode: 'never' } })
    writeFileSync(join(loginDir('medic'), 'settings.json'), '{ "model": ')
    const { code, findings } = await examine()
    expect(code).toBe(1)
    const file = (name: string): string => join(loginDir(name), 'settings.json')
    const skipped = named(findings, 'settings max-1')
    expect(skipped).toMatchObject([{ state: 'warn' }])
    expect(skipped[0]!.found).toContain(
      `hooks.NoSuchEvent in ${file('max-1')}: Unknown hook event "NoSuchEvent"`,
    )
    const unusable = named(findings, 'settings max-2')
    expect(unusable.map(({ state }) => state)).toEqual(['fail', 'fail'])
    expect(unusable[0]!.found).toContain(
      `cleanupPeriodDays in ${file('max-2')}: Expected number, but received string`,
    )
    expect(unusable[1]!.found).toContain(`permissions.defaultMode in ${file('max-2')}: Invalid value.`)
    const broken = named(findings, 'settings medic')
    expect(broken).toMatchObject([{ state: 'fail' }])
    expect(broken[0]!.found).toContain(file('medic'))
  })

  it('names what a session would lack on another account, by name alone', async () => {
    healthy()
    login('max-1', 'max-1', {
      enabledPlugins: { 'lint@shop': true, 'off@shop': false },
      hooks: {
        PreToolUse: [{ matcher: 'Bash', hooks: [{ type: 'command', command: 'guard --key made-up' }] }],
      },
      permissions: { allow: ['Bash(git status)'], deny: ['Read(./.env)'] },
    })
    login('max-2', 'max-2', { permissions: { allow: ['Bash(git status)'] } })
    const global = join(loginDir('max-1'), '.claude.json')
    const config = JSON.parse(readFileSync(global, 'utf8')) as object
    const server = { command: 'true', env: { TOKEN: 'made-up-token' } }
    writeFileSync(
      global,
      JSON.stringify({
        ...config,
        mcpServers: { github: server },
        projects: { '/work': { mcpServers: { local: server } } },
      }),
    )
    const skill = join(loginDir('max-2'), 'skills', 'review')
    mkdirSync(skill, { recursive: true })
    writeFileSync(join(skill, 'SKILL.md'), '---\nname: review\ndescription: reviews\n---\n')
    const inventories = ['max-1', 'max-2'].map(async (name) => ({
      name,
      inventory: await examiner.inventory(placeOf(name)),
    }))
    const findings = differences(await Promise.all(inventories))
    expect(named(findings, 'differences max-1').map(({ found }) => found)).toEqual([
      'sessions moved here from max-2 miss skills: review',
    ])
    const missed = named(findings, 'differences max-2')
    expect(missed.map(({ found }) => found.replace(/#\w{4}/, '#'))).toEqual([
      'sessions moved here from max-1 miss MCP servers: github, local (/work)',
      'sessions moved here from max-1 miss plugins: lint@shop',
      'sessions moved here from max-1 miss hooks: PreToolUse(Bash) #',
      'sessions moved here from max-1 miss permissions: deny Read(./.env)',
    ])
    expect(missed.every(({ state, remedy }) => state === 'warn' && remedy !== null)).toBe(true)
    expect(JSON.stringify(findings)).not.toContain('made-up')
  })

  it('lists the exported variables that sessions will not get', async () => {
    healthyAndSmall()
    env['ANTHROPIC_API_KEY'] = 'sk-ant-api03-made-up'
    const { code, findings } = await examine()
    expect(code).toBe(0)
    expect(named(findings, 'environment')[0]!.found).toMatch(/^ANTHROPIC_API_KEY set here, but not passed/)
    expect(named(findings, 'login max-1')[0]!.found).toBe('logged in as max-1@example.com')
    expect(JSON.stringify(findings)).not.toContain('sk-ant')
  })
})

describe('logins', () => {
  it('reports an account that was logged out, and how to log in again', async () => {
    healthy()
    blankLogin(loginDir('max-2'))
    const { code, findings } = await examine()
    expect(code).toBe(1)
    expect(failures(findings)).toEqual(['login max-2'])
    expect(named(findings, 'login max-2')[0]!.remedy).toContain(`CLAUDE_CONFIG_DIR=${loginDir('max-2')} `)
  })

  it('law 4: warns of one login under two names, which is one account only', async () => {
    healthy()
    login('max-2', 'max-1')
    const { code, findings } = await examine()
    expect(code).toBe(0)
    const [, duplicate] = named(findings, 'login max-2')
    expect(duplicate).toMatchObject({ state: 'warn' })
    expect(duplicate!.found).toMatch(/^duplicate: the same login as max-1/)
  })

  it('law 1: fails if a reserved account is logged in as a pool account', async () => {
    healthy()
    login('medic', 'max-2')
    const { code, findings } = await examine()
    expect(code).toBe(2)
    expect(failures(findings)).toEqual(['law 1'])
    expect(named(findings, 'law 1')[0]!.found).toMatch(
      /rescuer shares the failure domain it heals: reserved account medic and pool account max-2/,
    )
  })

  it('law 1: fails if a reserved account uses a config dir of the pool under another path', async () => {
    healthy()
    rmSync(loginDir('medic'), { recursive: true })
    symlinkSync(loginDir('max-1'), loginDir('medic'))
    const { code, findings } = await examine()
    expect(code).toBe(2)
    expect(named(findings, 'configuration')[0]!.found).toMatch(/rescuer shares the failure domain it heals/)
  })
})

describe('engine, worker and clock', () => {
  let taken: Server | undefined
  afterEach(() => {
    taken?.close()
    taken = undefined
  })

  it('reports a running embedded engine with its version, retention and clock', async () => {
    healthyAndSmall()
    const server = await devServer({ dir: join(dir, 'state') })
    try {
      const { code, findings } = await examine()
      expect(code).toBe(0)
      expect(named(findings, 'engine')[0]!.found).toMatch(
        new RegExp(`^embedded, running at ${server.address}: server 1\\.\\d+.*, keeps 30 days$`),
      )
      expect(named(findings, 'ports')[0]!.found).toContain(server.address)
      expect(named(findings, 'database')[0]!.state).toBe('ok')
      expect(named(findings, 'clock')[0]!.found).toContain("the same as the engine's")
    } finally {
      await server.stop()
    }
  })

  it('fails for a named engine that does not answer, and checks no ports then', async () => {
    healthyAndSmall()
    Object.assign(env, ownEngineOnly({}), { TEMPORAL_ADDRESS: '127.0.0.1:9' })
    const { code, findings } = await examine()
    expect(code).toBe(1)
    expect(failures(findings)).toEqual(['engine'])
    expect(named(findings, 'engine')[0]!.remedy).toMatch(/TEMPORAL_ADDRESS/)
    expect(named(findings, 'ports')).toEqual([])
  })

  it('names the port that would be used if the usual one is taken', async () => {
    const embedded: EngineChoice = { kind: 'embedded', program: null, attempts: [] }
    // Another program's engine may hold the port now and release it in the next moment; then it is used here.
    const hold = () =>
      new Promise<void>((resolve) => {
        // A program that looks for an engine there must not be able to hold it open.
        const server = createServer((socket) => socket.destroy()).once('error', () => resolve())
        server.listen(7233, '127.0.0.1', () => {
          taken = server
          resolve()
        })
      })
    await expect
      .poll(
        async () => {
          if (taken === undefined) await hold()
          return (await checkPorts(embedded, home()))[0]!.found
        },
        { timeout: 180_000 },
      )
      .toMatch(/7233 is taken, 72\d\d would be used instead/)
  })

  it('fails for an unsuitable temporal, and still checks the rest', async () => {
    healthyAndSmall()
    env['OUTPOOL_TEMPORAL'] = program(
      'temporal',
      '#!/bin/sh\necho "temporal version 1.0.0 (Server 1.20.0)"\n',
    )
    const { code, findings } = await examine()
    expect(code).toBe(1)
    expect(failures(findings)).toEqual(['engine'])
    expect(named(findings, 'engine')[0]!.found).toMatch(/too old/)
  })

  it('warns of sessions that no worker watches', async () => {
    mkdirSync(join(dir, 'state', 'sessions', 'one'), { recursive: true })
    expect(await checkWorker(home(), Date.now())).toMatchObject([
      { name: 'worker', state: 'warn', found: 'not running, while one session is on record' },
    ])
  })

  it('fails for a worker that runs but has stopped checking', async () => {
    const state = join(dir, 'state')
    mkdirSync(state, { recursive: true })
    const stat = readFileSync(`/proc/${process.pid}/stat`, 'utf8')
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    writeFileSync(join(state, 'worker.lock'), JSON.stringify({ pid: process.pid, start }))
    const at = new Date(Date.now() - 600_000).toISOString()
    writeFileSync(
      join(state, 'live.json'),
      JSON.stringify({ at, pid: process.pid, sessions: {}, accounts: [] }),
    )
    const [polling] = await checkWorker(home(), Date.now())
    expect(polling).toMatchObject({ name: 'worker', state: 'fail' })
    expect(polling!.found).toMatch(/last polled [6-9]\d\d s ago/)
  })

  it('warns of a clock that is behind the last recorded times', async () => {
    mkdirSync(join(dir, 'state', 'quota'), { recursive: true })
    const file = join(dir, 'state', 'quota', 'max-1.json')
    writeFileSync(file, '{}')
    const tomorrow = new Date(Date.now() + 86_400_000)
    utimesSync(file, tomorrow, tomorrow)
    const clock = await checkClock(home(), Date.now, env)
    expect(clock).toMatchObject({ name: 'clock', state: 'warn' })
    expect(clock.found).toContain(file)
  })
})
