/** The commands that start and show sessions, against a real engine. */
import { randomUUID } from 'node:crypto'
import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { giveSignsOfLife, lastSignsOfLife } from '../../config/engine/signsOfLife.js'
import { openHome } from '../../config/state/home.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { suspend } from '../../lab/machine/suspend.js'
import { until } from '../../lab/until.js'
import { isNight } from '../byNight.js'
import {
  ClientHarness,
  sessionDetailsSchema,
  uniqueName,
  parseJson,
  sessionRowSchema,
} from './clientHarness.js'
import { outpool } from './testHome.js'

let harness: ClientHarness

beforeAll(async () => {
  harness = await ClientHarness.open()
})
afterAll(() => harness.close())
beforeEach(() => harness.beginTest())
afterEach(() => harness.endTest())

/** What `run` gives while no worker of the sessions runs. */
async function withoutWorker<T>(run: () => Promise<T>): Promise<T> {
  await harness.stopWorker()
  try {
    return await run()
  } finally {
    await harness.startWorker()
  }
}

it('ls says how to begin if there is nothing to show', async () => {
  expect(await harness.runOk('ls')).toBe(
    'No sessions. Start one with: outpool start NAME --cwd DIR -- PROMPT\n',
  )
  expect(await harness.listed()).toEqual([])
})

describe('start', () => {
  it('passes everything to the workflow, and ls shows the session', async () => {
    const name = uniqueName('s')
    const out = await harness.runOk(
      'start',
      name,
      '--cwd',
      'work',
      '--account',
      'max-2',
      '--pin',
      '--model',
      'opus',
      '--priority',
      '-3',
      '--json',
      '--',
      'do',
      '--this',
    )
    const shown = parseJson(sessionRowSchema, out)
    const { start } = await until(
      'heard',
      () => harness.received(name),
      () => true,
    )
    expect(start).toMatchObject({
      ...{
        name,
        pool: 'main',
        agent: 'claude-code',
        cwd: join(harness.home.dir, 'work'),
        model: 'opus',
        account: 'max-2',
      },
      ...{ pinned: true, priority: -3, prompt: 'do --this', continues: false, sessionId: shown.sessionId },
      host: openHome({ ...process.env, ...harness.home.env }).hostId,
      timing: { probeEvery: 300_000 },
    })
    await harness.untilListed(name, ({ phase, account }) => phase === 'idle' && account === 'max-2')
    expect(await harness.home.run(['start', name])).toMatchObject({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringContaining(`session ${name} is already running`) as string,
    })
  })

  it('returns at once if no worker runs, and says so', async () => {
    await harness.stopWorker()
    harness.removeLive()
    const name = uniqueName('s')
    const { stderr } = await harness.home.run(['start', name, '--cwd', 'work'])
    expect(stderr).toContain('no worker is watching on this host yet')
    await harness.untilListed(name, ({ phase }) => phase === 'starting')
    const attributes = (await harness.handle(name).describe()).typedSearchAttributes.getAll()
    expect(attributes.map(({ key, value }) => [key.name, value])).toEqual(
      expect.arrayContaining([
        ['OutpoolPhase', 'starting'],
        ['OutpoolAgent', 'claude-code'],
        ['OutpoolRescues', 0],
        ['OutpoolAttention', false],
      ]),
    )
    await harness.startWorker()
  })
})

describe('top', () => {
  it('prints one view into a pipe', async () => {
    const name = await harness.started({ phase: 'parked' })
    await harness.untilListed(name, ({ phase }) => phase === 'parked')
    const out = await harness.runOk('top')
    expect(out).toContain('1 parked')
    expect(out).toMatch(new RegExp(`^${name} +parked`, 'm'))
    expect(out).toMatch(/^medic \(reserved\) /m)
  })
})

describe('ls', () => {
  it('prefers what the worker sees now over what the workflow recorded, for as long as the worker watches', async () => {
    const name = await harness.started()
    await harness.untilListed(name, ({ phase }) => phase === 'idle')
    harness.writeLive({ [name]: { phase: 'working', waitingFor: null, transcript: null, fence: 1 } })
    expect((await harness.rowOf(name))?.phase).toBe('working')
    harness.writeLive({
      [name]: { phase: 'waiting', waitingFor: 'permission to run rm', transcript: null, fence: 1 },
    })
    expect(await harness.rowOf(name)).toMatchObject({
      phase: 'waiting',
      attention: expect.stringContaining('permission to run rm') as string,
    })
    harness.writeLive(
      { [name]: { phase: 'working', waitingFor: null, transcript: null, fence: 1 } },
      [],
      new Date(Date.now() - 60_000),
    )
    const old = await harness.home.run(['ls', '--json'])
    expect(parseJson(z.array(sessionRowSchema), old.stdout).find((one) => one.name === name)?.phase).toBe(
      'idle',
    )
    expect(old.stderr).toContain('no worker is watching on this host (last seen 1 min ago)')

    harness.writeLive({ [name]: { phase: 'working', waitingFor: null, transcript: null, fence: 1 } })
    await harness.setState(name, { phase: 'rescuing' })
    await harness.untilListed(name, ({ phase }) => phase === 'rescuing')
  })

  it('law 14: says that tmux hangs, instead of waiting for it or blaming the worker', async () => {
    const name = await harness.started()
    await harness.untilListed(name, ({ phase }) => phase === 'idle')
    const { tmuxSocket } = openHome(harness.home.env)
    const tmux = (...args: string[]): string =>
      execFileSync('tmux', ['-S', tmuxSocket, '-f', '/dev/null', ...args], { encoding: 'utf8' })
    tmux('new-session', '-d', 'sleep 600')
    const pid = Number(tmux('display-message', '-p', '#{pid}'))
    const silent = (): void =>
      harness.writeLive(
        { [name]: { phase: 'working', waitingFor: null, transcript: null, fence: 1 } },
        [],
        new Date(Date.now() - 60_000),
      )
    try {
      await suspend(pid)
      silent()
      const hung = await harness.home.run(['ls'])
      expect(hung.code).toBe(0)
      expect(hung.stdout).toContain(name)
      expect(hung.stderr).toMatch(/the tmux server of .* does not answer, so the state .* is old \(last seen/)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    silent()
    expect((await harness.home.run(['ls'])).stderr).toContain('no worker is watching on this host')
    tmux('kill-server')
  })

  it('law 14: says of a session on another host whether its worker is heard of', async () => {
    const far = uniqueName('far')
    const name = await harness.started({ phase: 'working', host: far })
    await harness.untilListed(name, ({ host }) => host === far)
    expect(await harness.rowOf(name)).toMatchObject({
      ...{ phase: 'working', silentSince: null },
      attention: `the worker of its host ${far} was never heard of: start it there with \`outpool up\``,
    })
    expect(await harness.runOk('ls')).toMatch(new RegExp(`^${name} +never heard of, was working`, 'm'))
    expect(await harness.runOk('send', name, 'x')).toContain(`it waits for the worker of its host ${far}`)
    const presenceStopped = new AbortController()
    const { connection } = harness.client
    const presenceLoop = giveSignsOfLife(
      connection,
      harness.server.namespace,
      `1.a@${far}`,
      presenceStopped.signal,
    )
    await harness.untilListed(
      name,
      ({ silentSince, attention }) => silentSince === undefined && attention === null,
    )
    presenceStopped.abort()
    await presenceLoop
    expect((await lastSignsOfLife(connection, harness.server.namespace)).get(far)).toBeGreaterThan(0)
  })

  it('says in a word why a session is not working, at any width, with colours only on a terminal', async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString()
    const names = {
      walled: await harness.started({ phase: 'idle', walledUntil: soon, account: 'max-1' }),
      parked: await harness.started({ phase: 'parked', parkedUntil: soon, why: 'max-1 walled until noon' }),
      waiting: await harness.started({
        phase: 'waiting',
        attention: 'Grant or refuse the permission \u001b[31mred',
      }),
      working: await harness.started({ phase: 'working', account: 'max-2', rescues: 3 }),
    }
    harness.writeLive({})
    await harness.untilListed(names.working, ({ rescues }) => rescues === 3)
    const out = await harness.runOk('ls')
    const line = (name: string): string => out.split('\n').find((one) => one.startsWith(name)) ?? ''
    expect(line(names.walled)).toMatch(/idle, walled until (\w+ \d+ )?\d\d:\d\d .*max-1/)
    expect(line(names.parked)).toMatch(/parked until (\w+ \d+ )?\d\d:\d\d /)
    expect(out).toMatch(/^1 parked until (\w+ \d+ )?\d\d:\d\d: max-1 walled until noon$/m)
    expect(line(names.waiting)).toContain('waiting: permission')
    expect(line(names.working)).toMatch(/working +max-2 +3 /)
    expect(out).toContain(`! ${names.waiting}: Grant or refuse the permission`)
    expect(out).not.toContain('\u001b')
    for (const columns of [20, 40, 60, 80, 200]) {
      const { stdout } = await harness.home.run(['ls'], { env: { COLUMNS: String(columns) } })
      const table = stdout.split('\n').filter((one) => !one.startsWith('!'))
      expect(Math.max(...table.map((one) => one.length))).toBeLessThanOrEqual(columns)
      expect(stdout).toContain(names.working.slice(0, 8))
    }
  })

  it('uses colours on a terminal, unless NO_COLOR is set', async () => {
    const name = await harness.started({ phase: 'working' })
    await harness.untilListed(name, ({ phase }) => phase === 'working')
    const onTerminal = (env: NodeJS.ProcessEnv): Promise<string> =>
      new Promise((resolve) => {
        const command = [...outpool, 'ls'].map((part) => `'${part}'`).join(' ')
        const child = spawn('script', ['-qec', command, '/dev/null'], {
          env: { ...harness.home.env, TERM: 'xterm', ...env },
          cwd: harness.home.dir,
        })
        let out = ''
        child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
        child.once('close', () => resolve(out))
      })
    expect(await onTerminal({})).toContain('\u001b[32mworking')
    const plain = await onTerminal({ NO_COLOR: '1' })
    expect(plain).toContain('working')
    expect(plain).not.toContain('\u001b[')
  })

  it('shows the newest run of each name: stopped ones for a day, and no trace of earlier runs', async () => {
    const name = await harness.started()
    await harness.runOk('stop', name)
    await until(
      'stopped',
      () => harness.rowOf(name),
      (one) => one?.phase === 'stopped',
    )
    await harness.runOk('resume', name)
    await harness.untilListed(name, ({ phase }) => phase === 'idle')
    expect((await harness.listed('--all')).filter((one) => one.name === name)).toHaveLength(1)
    await harness.handle(name).terminate()
    await harness.untilListed(name, ({ phase }) => phase === 'stopped')
  })

  it('lists a large fleet, each session once, in order', async () => {
    const names = Array.from({ length: isNight ? 500 : 120 }, (_, n) => `n-${String(n).padStart(3, '0')}`)
    const card = {
      agent: 'claude-code',
      sessionId: randomUUID(),
      cwd: '/w',
      host: 'h',
      startedAt: new Date().toISOString(),
    }
    for (let n = 0; n < names.length; n += 50)
      await Promise.all(
        names.slice(n, n + 50).map((name) =>
          harness.client.workflow.start('session', {
            ...{ workflowId: sessionWorkflowId(name), taskQueue: 'nobody', args: [] },
            memo: { session: { ...card, name, phase: 'working' } },
          }),
        ),
      )
    const found = await until(
      'all in ls',
      async () => (await harness.listed()).filter(({ phase }) => phase === 'working').map(({ name }) => name),
      (all) => all.length === names.length,
    )
    expect(found).toEqual(names)
  })

  it('a reader that closes the pipe is not an error', async () => {
    const name = await harness.started()
    await harness.untilListed(name, () => true)
    const [program = '', ...args] = outpool
    const child = spawn(program, [...args, 'ls', '--json'], { env: harness.home.env, cwd: harness.home.dir })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    await new Promise((resolve) => child.once('close', resolve))
    expect(stderr).not.toMatch(/EPIPE|Error/)
  })
})

describe('show', () => {
  const rescue = {
    ...{ n: 1, cause: 'wall' as const, from: 'max-1', to: 'max-2' },
    wall: {
      kind: 'five_hour',
      scope: 'account' as const,
      resetsAt: '2026-01-02T08:00:00.000Z',
      evidence: 'transcript row 12',
    },
    ...{ startedAt: '2026-01-02T04:00:00.000Z', endedAt: '2026-01-02T04:00:00.412Z' },
    steps: [
      { name: 'stop', ms: 110 },
      { name: 'carry', ms: 8, fault: 'disk full' },
    ],
    result: 'max-2: most headroom',
  }

  it('tells the story of a rescue, to people and as JSON', async () => {
    const name = await harness.started({ rescueLog: [rescue], rescues: 1, account: 'max-2' })
    const shown = parseJson(sessionDetailsSchema, await harness.runOk('show', name, '--json'))
    expect(shown.rescueLog).toEqual([rescue])
    const out = await harness.runOk('show', name)
    expect(out).toContain('hit the wall: max-1 -> max-2, 412 ms')
    expect(out).toContain('five_hour (account), until')
    expect(out).toContain('stop 110 ms, carry 8 ms (failed: disk full)')
    expect(out).toContain('max-2: most headroom')
  })

  it('falls back on what was recorded if no worker answers', async () => {
    const name = await harness.started({ phase: 'working' })
    await harness.untilListed(name, ({ phase }) => phase === 'working')
    const { code, stdout, stderr } = await withoutWorker(() => harness.home.run(['show', name, '--json']))
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('no worker answers') as string,
    })
    expect(JSON.parse(stdout)).toMatchObject({ name, phase: 'working', rescueLog: null })
  })

  it("shows a stopped session from its workflow's result, without a worker", async () => {
    const name = await harness.started({ rescueLog: [rescue] })
    await harness.runOk('stop', name)
    const shown = parseJson(
      sessionDetailsSchema,
      await withoutWorker(() => harness.runOk('show', name, '--json')),
    )
    expect(shown).toMatchObject({ phase: 'stopped', rescueLog: [rescue] })
  })

  it('suggests the name that was meant', async () => {
    const name = await harness.started()
    await harness.untilListed(name, () => true)
    const { code, stderr } = await harness.home.run(['show', `${name}x`])
    expect(code).toBe(1)
    expect(stderr).toContain(`did you mean ${name}?`)
  })
})
