/** Parts of `outpool doctor` that need a limit, a disk or a policy that this machine does not have. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createColors } from 'picocolors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { examinerOf } from '../../agents/index.js'
import { parseConfig } from '../../config/load/load.js'
import { openHome, type Home } from '../../config/state/home.js'
import { checkZones } from '../../worker/doctor/clock.js'
import { checkEnvironment } from '../../worker/doctor/configuration.js'
import { checkSockets, checkWatching } from '../../worker/doctor/disk.js'
import { checkDrill } from '../../worker/doctor/drills.js'
import { fail, ok, warn } from '../../worker/doctor/finding.js'
import { openEngine, otherUsers } from '../../worker/doctor/otherUsers.js'
import { panesIn } from '../../worker/doctor/panes.js'
import { render } from '../../worker/doctor/print.js'
import { checkProjects } from '../../worker/doctor/projects.js'
import { runChecks } from '../../worker/doctor/runChecks.js'

let dir: string
let home: Home
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-parts-'))
  home = openHome({ OUTPOOL_HOME: join(dir, 'state') })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const examiner = examinerOf('claude-code')!

describe('running checks', () => {
  it('ends although one check hangs and another throws, and keeps the order', async () => {
    const check = (name: string, run: () => Promise<ReturnType<typeof ok>[]>, within = 60_000) => ({
      ...{ name, within, run },
    })
    const findings = await runChecks([
      check('hangs', () => new Promise(() => undefined), 20),
      check('throws', () => Promise.reject(new Error('broken'))),
      check('throws at once', () => {
        throw Object.assign(new Error('no such login'), { remedy: 'Log in.' })
      }),
      ...['a', 'b', 'c', 'd'].map((name) => check(name, () => Promise.resolve([ok(name, 'well')]))),
    ])
    expect(findings.map(({ name }) => name)).toEqual([
      'hangs',
      'throws',
      'throws at once',
      'a',
      'b',
      'c',
      'd',
    ])
    expect(findings.map(({ state }) => state)).toEqual(['fail', 'fail', 'fail', 'ok', 'ok', 'ok', 'ok'])
    expect(findings[0]!.found).toBe('gave no answer within 0.02 s')
    expect(findings[2]).toMatchObject({ found: 'no such login', remedy: 'Log in.' })
  })

  it('runs at most four at a time, so that agent programs do not fill the memory', async () => {
    let [now, most] = [0, 0]
    const run = async () => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setImmediate(resolve))
      now--
      return []
    }
    await runChecks(Array.from({ length: 20 }, (_, index) => ({ name: `${index}`, within: 60_000, run })))
    expect(most).toBe(4)
  })
})

describe('printing', () => {
  it("keeps other programs' output on one line and free of control characters", () => {
    const text = render([fail('x', 'two\nlines\u001b[31m red\u202e', 'do\tthis')], createColors(false))
    expect(text.split('\n').slice(0, 2)).toEqual(['FAIL  x  two lines red ', '         -> do this'])
  })

  it('counts in words', () => {
    const colors = createColors(false)
    expect(render([ok('a', 'b')], colors)).toMatch(/All is well: 1 ok, no warnings, no failures\.$/)
    expect(render([warn('a', 'b', 'c')], colors)).toMatch(/Outpool can work: 0 ok, 1 warning, no failures\.$/)
    const two = [fail('a', 'b', 'c'), fail('a', 'b', 'c')]
    expect(render(two, colors)).toMatch(/will not work well like this: 0 ok, no warnings, 2 failures\.$/)
  })

  it('colours the states if asked to', () => {
    expect(render([fail('a', 'b', 'c')], createColors(true))).toContain('\u001b[31mFAIL')
  })
})

describe('settings of the whole machine', () => {
  const managed = (settings: unknown): string => {
    const file = join(dir, 'managed-settings.json')
    writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings))
    return file
  }

  it.each([
    [{ disableAllHooks: true }, 'disableAllHooks'],
    [{ allowManagedHooksOnly: true }, 'allowManagedHooksOnly'],
    [{ apiKeyHelper: '/bin/key' }, 'apiKeyHelper'],
    [{ cleanupPeriodDays: 0 }, 'cleanupPeriodDays'],
    [{ env: { CLAUDE_CODE_USE_BEDROCK: '1' } }, 'env.CLAUDE_CODE_USE_BEDROCK'],
    [{ env: { CLAUDE_CODE_SKIP_PROMPT_HISTORY: 'true' } }, 'env.CLAUDE_CODE_SKIP_PROMPT_HISTORY'],
    ['{ not json', 'is not a valid settings file'],
    [{ env: [], hooks: {}, disableAllHooks: 'yes' }, 'disableAllHooks'],
  ])('finds what would break Outpool in %j', async (settings, named) => {
    const found = await examiner.machineConflicts([managed(settings)])
    expect(found).toHaveLength(1)
    expect(found[0]!.what).toContain(named)
    expect(found[0]!.state).toBe('fail')
  })

  it.each([
    [{ disableAllHooks: false, cleanupPeriodDays: 30, env: { CLAUDE_CODE_RETRY_WATCHDOG: '0', FOO: '1' } }],
    ['\uFEFF{}'],
    [''],
  ])('finds nothing in %j', async (settings) => {
    expect(await examiner.machineConflicts([managed(settings), join(dir, 'none.json')])).toEqual([])
  })
})

describe('the host', () => {
  it('fails if no socket can be created', async () => {
    const folder = join(dir, 'gone')
    expect(await checkSockets({ ...home, tmuxSocket: join(folder, 'tmux.sock') })).toMatchObject({
      state: 'fail',
    })
    mkdirSync(folder)
    expect(await checkSockets({ ...home, tmuxSocket: join(folder, 'tmux.sock') })).toMatchObject({
      state: 'ok',
    })
  })

  it('warns if the system allows few file watches, and fails if none can be set', async () => {
    const limits = (instances: number, watches: number): string => {
      writeFileSync(join(dir, 'max_user_instances'), `${instances}\n`)
      writeFileSync(join(dir, 'max_user_watches'), `${watches}\n`)
      return dir
    }
    expect(await checkWatching(home, limits(128, 65_536))).toMatchObject({ state: 'ok' })
    expect(await checkWatching(home, limits(64, 65_536))).toMatchObject({ state: 'warn' })
    expect(await checkWatching(home, limits(128, 1024))).toMatchObject({ state: 'warn' })
    expect(await checkWatching({ ...home, reports: join(dir, 'none') })).toMatchObject({ state: 'fail' })
  })

  it('knows the time zones in which agents state resets', () => {
    expect(checkZones()).toMatchObject({ state: 'ok' })
  })

  it("warns of a proxy that would receive the calls to this machine's engine", () => {
    const states = (env: Record<string, string>) =>
      checkEnvironment(env, [['claude-code', examiner]]).map(({ state }) => state)
    expect(states({ https_proxy: 'http://proxy:3128' })).toEqual(['warn'])
    expect(states({ https_proxy: 'http://proxy:3128', no_proxy: 'localhost, 127.0.0.1' })).toEqual(['ok'])
    expect(states({ https_proxy: '' })).toEqual(['ok'])
    expect(states({ CLAUDE_CODE_OAUTH_TOKEN: 'x', http_proxy: 'http://proxy' })).toEqual(['warn', 'warn'])
  })
})

describe('where panes live', () => {
  const own = '/user.slice/user-1000.slice/user@1000.service/app.slice'
  it.each([
    [`0::${own}/outpool-panes-0a1b2c3d.scope`, 'ok', 'outpool-panes-0a1b2c3d.scope'],
    [`0::${own}/outpool.service`, 'warn', 'outpool.service itself'],
    ['0::/system.slice/outpool.service', 'warn', 'outpool.service itself'],
    ['12:pids:/x.service\n1:name=systemd:/user.slice/session-3.scope\n0::/', 'ok', 'session-3.scope'],
  ])('%s: %s', (groups, state, named) => {
    const [found] = panesIn(`${groups}\n`)
    expect(found).toMatchObject({ state })
    expect(found!.found).toContain(named)
  })

  it('is not mentioned if there is no unit', () => {
    expect(panesIn('0::/\n')).toEqual([])
  })
})

describe('the newest drill', () => {
  const day = 86_400_000
  const now = Date.parse('2026-11-24T22:00:00.000Z')
  const drill = { every: 7 * day, timeout: 1, agent: 'claude-code', model: null, keep: 20 }
  const report = (name: string, overrides: object): void => {
    mkdirSync(join(home.dir, 'drills', 'work'), { recursive: true })
    const content = { endedAt: '2026-11-20T00:00:00.000Z', ok: true, why: null, ...overrides }
    writeFileSync(join(home.dir, 'drills', name), JSON.stringify(content))
  }

  it('is not mentioned if drills are not configured', async () => {
    expect(await checkDrill(home, { ...drill, every: null }, now)).toEqual([])
    expect(await checkDrill(home, drill, now)).toEqual([ok('drill', 'none was run yet')])
  })

  it('succeeded, failed, or is overdue', async () => {
    report('drill-20261101-000000.json', { ok: false, why: 'an old failure' })
    report('drill-20261120-000000.json', {})
    expect(await checkDrill(home, drill, now)).toEqual([ok('drill', 'went well at 2026-11-20T00:00:00.000Z')])
    expect(await checkDrill(home, { ...drill, every: day }, now)).toMatchObject([{ state: 'warn' }])
    report('drill-20261121-000000.json', { ok: false, why: 'it parked' })
    expect(await checkDrill(home, drill, now)).toMatchObject([
      { state: 'warn', found: 'failed at 2026-11-20T00:00:00.000Z: it parked' },
    ])
  })
})

describe('what is open on this machine', () => {
  const engine = { address: '127.0.0.1:7233', namespace: 'default', uiUrl: null, pid: 1 }
  const passwd = [
    'root:x:0:0::/root:/bin/bash',
    'daemon:x:1:1::/:/usr/sbin/nologin',
    'me:x:1000:1000::/home/me:/bin/bash',
    'other:x:1001:1001::/home/other:/bin/zsh',
    'service:x:1002:1002::/:/usr/sbin/nologin',
    'nobody:x:65534:65534::/:/bin/sh',
    '',
    'broken',
  ].join('\n')

  it('law 15: names other users who can reach the engine, and nobody on a machine of one person', () => {
    expect(otherUsers(passwd, 1000)).toEqual(['other'])
    expect(openEngine(engine, otherUsers(passwd, 1000))).toMatchObject([
      { name: 'other users', state: 'warn' },
    ])
    expect(openEngine(engine, [])).toEqual([])
  })

  it('law 15: names a Web UI that is served', () => {
    expect(openEngine({ ...engine, uiUrl: 'http://127.0.0.1:8233' }, [])).toMatchObject([
      { name: 'web ui', state: 'warn' },
    ])
  })

  it('law 15: names the folder of a task whose settings no person has trusted', async () => {
    const cwd = join(dir, 'cloned')
    mkdirSync(join(cwd, '.claude'), { recursive: true })
    writeFileSync(join(cwd, '.claude', 'settings.json'), '{"apiKeyHelper":"./evil"}')
    const task = `{ name: garden, every: 3h, agent: claude-code, cwd: ${cwd}, prompt: Weed. }`
    const text = `pool: { accounts: [{ name: max-1, configDir: ${dir} }] }\ntasks: [${task}]\n`
    expect(await checkProjects(home, parseConfig(text, join(dir, 'outpool.yaml')))).toMatchObject([
      { state: 'fail', remedy: expect.stringContaining(`outpool trust ${cwd}`) as string },
    ])
  })
})
