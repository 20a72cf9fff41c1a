/** The command against a real engine; sessions are stand-ins that do as they are told (clientWorkflows.ts). */
import { randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { commandTree } from '../../client/commandTree.js'
import { openHome } from '../../config/home.js'
import type { LiveFile } from '../../config/liveState.js'
import { commonQueue, poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import { type SessionDetails, phases } from '../../policy/session.js'
import type { PoolView } from '../../workflows/messages.js'
import { type DevServer, devServer } from '../support/engine.js'
import { until } from '../support/until.js'
import { type Place, newPlace, outpool } from './clientSupport.js'
import type { Heard } from './clientWorkflows.js'

let server: DevServer
let client: Client
let native: NativeConnection
let bundle: { code: string }
let worker: { stop: () => Promise<void> } | null = null
let place: Place

beforeAll(async () => {
  server = await devServer()
  const connection = await Connection.connect({ address: server.address })
  client = new Client({ connection, namespace: server.namespace })
  native = await NativeConnection.connect({ address: server.address })
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('clientWorkflows.ts', import.meta.url)),
  })
  await startWorker()
})
afterAll(async () => {
  await worker?.stop()
  await native.close()
  await client.connection.close()
  await server.stop()
})
beforeEach(() => {
  place = newPlace()
  copyFileSync(server.home.engineFile, join(place.home, 'engine.json'))
})
afterEach(async () => {
  for await (const { workflowId } of client.workflow.list({ query: `ExecutionStatus = 'Running'` }))
    await client.workflow.getHandle(workflowId).terminate()
  place.remove()
})

async function startWorker(): Promise<void> {
  const made = await Worker.create({
    ...{ connection: native, namespace: server.namespace, taskQueue: commonQueue, workflowBundle: bundle },
  })
  const running = made.run()
  worker = {
    stop: async () => {
      made.shutdown()
      await running
      worker = null
    },
  }
}

const instant = z.iso.datetime()
const row = z.strictObject({
  ...{
    name: z.string(),
    phase: z.enum(phases),
    account: z.string().nullable(),
    substrate: z.string().nullable(),
  },
  ...{
    agent: z.string(),
    sessionId: z.uuid(),
    cwd: z.string(),
    host: z.string(),
    pane: z.string().nullable(),
  },
  ...{ model: z.string().nullable(), rescues: z.int(), walledUntil: instant.nullable() },
  ...{ parkedUntil: instant.nullable(), attention: z.string().nullable() },
})
const details = row.extend({
  ...{ tmuxSocket: z.string().nullable(), pid: z.int().nullable(), transcript: z.string().nullable() },
  ...{ fork: z.string().nullable(), since: instant.nullable(), models: z.array(z.string()) },
  ...{ fallback: z.array(z.string()).nullable(), pinnedTo: z.string().nullable(), priority: z.number() },
  ...{ startedAt: instant, rescueLog: z.array(z.unknown()) },
})

const parse = <S extends z.ZodType>(schema: S, text: string): z.output<S> => schema.parse(JSON.parse(text))
const fresh = (word: string): string => `${word}-${randomUUID().slice(0, 8)}`
const handle = (name: string) => client.workflow.getHandle(sessionWorkflowId(name))
const become = (name: string, change: Partial<SessionDetails>) => handle(name).signal('become', change)
const heard = (name: string): Promise<Heard> => handle(name).query<Heard>('heard')

async function ok(...args: string[]): Promise<string> {
  const ran = await place.run(args)
  expect(ran, ran.stderr).toMatchObject({ code: 0 })
  return ran.stdout
}

async function started(change: Partial<SessionDetails> = {}): Promise<string> {
  const name = fresh('s')
  await ok('start', name, '--cwd', 'work')
  await become(name, change)
  return name
}

const listed = async (...args: string[]) => parse(z.array(row), await ok('ls', '--json', ...args))
const rowOf = async (name: string, ...args: string[]) =>
  (await listed(...args)).find((one) => one.name === name)

/** The visibility store is a little behind. */
const untilListed = (name: string, wanted: (one: z.output<typeof row>) => boolean) =>
  until(
    `${name} in ls`,
    () => rowOf(name),
    (one) => one !== undefined && wanted(one),
  )

function writeLive(
  sessions: LiveFile['sessions'],
  accounts: LiveFile['accounts'] = [],
  at = new Date(),
): void {
  const live: LiveFile = { at: at.toISOString(), pid: process.pid, sessions, accounts }
  writeFileSync(join(place.home, 'live.json'), JSON.stringify(live))
}

it('ls has nothing to show and says how to begin', async () => {
  expect(await ok('ls')).toBe('No sessions. Start one with: outpool start NAME --cwd DIR -- PROMPT\n')
  expect(await listed()).toEqual([])
})

describe('start', () => {
  it('hands the workflow all it needs, and ls shows the session', async () => {
    const name = fresh('s')
    const out = await ok(
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
    const told = parse(row, out)
    const { start } = await until(
      'heard',
      () => heard(name),
      () => true,
    )
    expect(start).toMatchObject({
      ...{
        name,
        pool: 'main',
        agent: 'claude-code',
        cwd: join(place.dir, 'work'),
        model: 'opus',
        account: 'max-2',
      },
      ...{ pinned: true, priority: -3, prompt: 'do --this', continues: false, sessionId: told.sessionId },
      host: openHome({ ...process.env, ...place.env }).hostId,
      timing: { probeEvery: 300_000 },
    })
    await untilListed(name, ({ phase, account }) => phase === 'idle' && account === 'max-2')
    expect(await place.run(['start', name])).toMatchObject({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringContaining(`session ${name} is already running`) as string,
    })
  })

  it('is shown at once where no worker is there, and says so', async () => {
    await worker?.stop()
    const name = fresh('s')
    const { stderr } = await place.run(['start', name, '--cwd', 'work'])
    expect(stderr).toContain('no worker is watching on this host yet')
    await untilListed(name, ({ phase }) => phase === 'starting')
    const attributes = (await handle(name).describe()).typedSearchAttributes.getAll()
    expect(attributes.map(({ key, value }) => [key.name, value])).toEqual(
      expect.arrayContaining([
        ['OutpoolPhase', 'starting'],
        ['OutpoolAgent', 'claude-code'],
        ['OutpoolRescues', 0],
        ['OutpoolAttention', false],
      ]),
    )
    await startWorker()
  })
})

describe('top', () => {
  it('prints one look into a pipe', async () => {
    const name = await started({ phase: 'parked' })
    await untilListed(name, ({ phase }) => phase === 'parked')
    const out = await ok('top')
    expect(out).toContain('1 parked')
    expect(out).toMatch(new RegExp(`^${name} +parked`, 'm'))
    expect(out).toMatch(/^medic +reserved/m)
  })
})

describe('ls', () => {
  it('lays what the worker sees now over what the workflow wrote, for as long as the worker looks', async () => {
    const name = await started()
    await untilListed(name, ({ phase }) => phase === 'idle')
    writeLive({ [name]: { phase: 'working', waitingFor: null, transcript: null, fence: 1 } })
    expect((await rowOf(name))?.phase).toBe('working')
    writeLive({
      [name]: { phase: 'waiting', waitingFor: 'permission to run rm', transcript: null, fence: 1 },
    })
    expect(await rowOf(name)).toMatchObject({
      phase: 'waiting',
      attention: expect.stringContaining('permission to run rm') as string,
    })
    writeLive(
      { [name]: { phase: 'working', waitingFor: null, transcript: null, fence: 1 } },
      [],
      new Date(Date.now() - 60_000),
    )
    const old = await place.run(['ls', '--json'])
    expect(parse(z.array(row), old.stdout).find((one) => one.name === name)?.phase).toBe('idle')
    expect(old.stderr).toContain('no worker is watching on this host (last seen 1 min ago)')

    writeLive({ [name]: { phase: 'working', waitingFor: null, transcript: null, fence: 1 } })
    await become(name, { phase: 'rescuing' })
    await untilListed(name, ({ phase }) => phase === 'rescuing')
  })

  it('says in a word why a session is not working, in any width, with colours on a terminal only', async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString()
    const names = {
      walled: await started({ phase: 'idle', walledUntil: soon, account: 'max-1' }),
      parked: await started({ phase: 'parked', parkedUntil: soon, why: 'max-1 walled until noon' }),
      waiting: await started({ phase: 'waiting', attention: 'Grant or refuse the permission \u001b[31mred' }),
      working: await started({ phase: 'working', account: 'max-2', rescues: 3 }),
    }
    writeLive({})
    await untilListed(names.working, ({ rescues }) => rescues === 3)
    const out = await ok('ls')
    const line = (name: string): string => out.split('\n').find((one) => one.startsWith(name)) ?? ''
    expect(line(names.walled)).toMatch(/idle, walled until (\w+ \d+ )?\d\d:\d\d .*max-1/)
    expect(line(names.parked)).toMatch(/parked until (\w+ \d+ )?\d\d:\d\d /)
    expect(out).toMatch(/^1 parked until (\w+ \d+ )?\d\d:\d\d: max-1 walled until noon$/m)
    expect(line(names.waiting)).toContain('waiting: permission')
    expect(line(names.working)).toMatch(/working +max-2 +3 /)
    expect(out).toContain(`! ${names.waiting}: Grant or refuse the permission`)
    expect(out).not.toContain('\u001b')
    for (const columns of [20, 40, 60, 80, 200]) {
      const { stdout } = await place.run(['ls'], { env: { COLUMNS: String(columns) } })
      const table = stdout.split('\n').filter((one) => !one.startsWith('!'))
      expect(Math.max(...table.map((one) => one.length))).toBeLessThanOrEqual(columns)
      expect(stdout).toContain(names.working.slice(0, 8))
    }
  })

  it('on a terminal it has colours, unless NO_COLOR is set', async () => {
    const name = await started({ phase: 'working' })
    await untilListed(name, ({ phase }) => phase === 'working')
    const onTerminal = (env: NodeJS.ProcessEnv): Promise<string> =>
      new Promise((resolve) => {
        const command = [...outpool, 'ls'].map((part) => `'${part}'`).join(' ')
        const child = spawn('script', ['-qec', command, '/dev/null'], {
          env: { ...place.env, TERM: 'xterm', ...env },
          cwd: place.dir,
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
    const name = await started()
    await ok('stop', name)
    await until(
      'stopped',
      () => rowOf(name),
      (one) => one?.phase === 'stopped',
    )
    await ok('resume', name)
    await untilListed(name, ({ phase }) => phase === 'idle')
    expect((await listed('--all')).filter((one) => one.name === name)).toHaveLength(1)
    await handle(name).terminate()
    await untilListed(name, ({ phase }) => phase === 'stopped')
  })

  it('500 sessions are all there, each once, in order', async () => {
    const names = Array.from({ length: 500 }, (_, n) => `n-${String(n).padStart(3, '0')}`)
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
          client.workflow.start('session', {
            ...{ workflowId: sessionWorkflowId(name), taskQueue: 'nobody', args: [] },
            memo: { session: { ...card, name, phase: 'working' } },
          }),
        ),
      )
    const found = await until(
      'all in ls',
      async () => (await listed()).filter(({ phase }) => phase === 'working').map(({ name }) => name),
      (all) => all.length === 500,
    )
    expect(found).toEqual(names)
  })

  it('a reader that goes away is no failure', async () => {
    const name = await started()
    await untilListed(name, () => true)
    const [program = '', ...args] = outpool
    const child = spawn(program, [...args, 'ls', '--json'], { env: place.env, cwd: place.dir })
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

  it('tells the story of a rescue, and the same to programs', async () => {
    const name = await started({ rescueLog: [rescue], rescues: 1, account: 'max-2' })
    const told = parse(details, await ok('show', name, '--json'))
    expect(told.rescueLog).toEqual([rescue])
    const out = await ok('show', name)
    expect(out).toContain('hit the wall: max-1 -> max-2, 412 ms')
    expect(out).toContain('five_hour (account), until')
    expect(out).toContain('stop 110 ms, carry 8 ms (failed: disk full)')
    expect(out).toContain('max-2: most headroom')
  })

  it('falls back on what was written down where no worker answers', async () => {
    const name = await started({ phase: 'working' })
    await untilListed(name, ({ phase }) => phase === 'working')
    await worker?.stop()
    const { code, stdout, stderr } = await place.run(['show', name, '--json']).finally(startWorker)
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('no worker answers') as string,
    })
    expect(JSON.parse(stdout)).toMatchObject({ name, phase: 'working', rescueLog: null })
  })

  it('knows a stopped session from its last word, without a worker', async () => {
    const name = await started({ rescueLog: [rescue] })
    await ok('stop', name)
    await worker?.stop()
    const told = parse(details, await ok('show', name, '--json').finally(startWorker))
    expect(told).toMatchObject({ phase: 'stopped', rescueLog: [rescue] })
  })

  it('offers the name that was meant', async () => {
    const name = await started()
    await untilListed(name, () => true)
    const { code, stderr } = await place.run(['show', `${name}x`])
    expect(code).toBe(1)
    expect(stderr).toContain(`did you mean ${name}?`)
  })
})

describe('orders', () => {
  it('send: from arguments and from stdin, each once; with --wait when it was taken', async () => {
    const name = await started({ phase: 'parked' })
    await ok('send', name, 'first', 'words')
    expect(await place.run(['send', name, '-'], { input: 'two\nlines' })).toMatchObject({ code: 0 })
    const waiting = place.run(['send', name, 'last', '--wait'])
    await until(
      'three texts',
      () => heard(name),
      ({ texts }) => texts.length === 3,
    )
    const raced = await Promise.race([
      waiting.then(() => 'returned'),
      handle(name)
        .query('delivered', 'x')
        .then(() => 'waits'),
    ])
    expect(raced).toBe('waits')
    await become(name, { phase: 'working' })
    expect(await waiting).toMatchObject({ code: 0, stdout: `${name} has taken it\n` })
    const { texts } = await heard(name)
    expect(texts.map(({ text }) => text)).toEqual(['first words', 'two\nlines', 'last'])
    expect(new Set(texts.map(({ id }) => id)).size).toBe(3)
  })

  it('send --wait ends when the session stops first', async () => {
    const name = await started({ phase: 'parked' })
    const waiting = place.run(['send', name, 'x', '--wait'])
    await until(
      'the text',
      () => heard(name),
      ({ texts }) => texts.length === 1,
    )
    await handle(name).terminate()
    expect(await waiting).toMatchObject({ code: 1 })
  })

  it('a stopped session and one that never was take nothing: exit 1', async () => {
    const name = await started()
    await ok('stop', name)
    for (const args of [
      ['send', name, 'x'],
      ['pause', name],
      ['stop', name],
      ['rescue', name],
      ['move', name, '--to', 'max-1'],
    ]) {
      const { code, stderr } = await place.run(args)
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `outpool: session ${name} is stopped\n  -> bring it back with \`outpool resume ${name}\`\n`,
      })
    }
    expect(await place.run(['send', fresh('never'), 'x'])).toMatchObject({ code: 1 })
  })

  it('pause, resume and stop return when it is so', async () => {
    const name = await started()
    const phase = async () => (await handle(name).query<SessionDetails>('describe')).phase
    expect(await ok('pause', name)).toBe(`${name} is paused\n`)
    expect(await phase()).toBe('paused')
    expect(await ok('resume', name)).toBe(`${name} is resumed\n`)
    expect(await phase()).toBe('idle')
    expect(await ok('stop', name)).toBe(`${name} is stopped\n`)
    expect((await handle(name).describe()).status.name).toBe('COMPLETED')
  })

  it('law 5: resume of a stopped session goes on with the same conversation in the same place', async () => {
    const pin = { account: 'max-2', pinnedTo: 'max-2', priority: -3 }
    const name = await started({ ...pin, model: 'opus', models: ['opus'] })
    const { start: before } = await heard(name)
    await ok('send', name, 'said too late')
    await ok('stop', name)
    await ok('resume', name)
    const { start } = await until(
      'the new run',
      () => heard(name),
      ({ start: now }) => now.continues,
    )
    const { sessionId, cwd, agent, host } = before
    expect(start).toMatchObject({
      sessionId,
      cwd,
      agent,
      host,
      model: 'opus',
      ...{ account: 'max-2', pinned: true, priority: -3 },
      prompt: null,
      texts: [{ text: 'said too late' }],
    })
  })

  it('move and rescue give their orders, and refuse what is no place for a session', async () => {
    const name = await started({ account: 'max-1' })
    await untilListed(name, ({ account }) => account === 'max-1')
    await ok('move', name, '--to', 'max-2')
    await ok('rescue', name)
    expect(await ok('move', name, '--to', 'max-1')).toBe(`${name} is on max-1 already\n`)
    for (const to of ['medic', 'haiku-key', 'nobody'])
      expect(await place.run(['move', name, '--to', to])).toMatchObject({ code: 2, stdout: '' })
    expect((await heard(name)).moves).toEqual([
      { to: 'max-2', cause: 'move' },
      { to: null, cause: 'wall' },
    ])
  })

  it('law 1: whichever command takes an account, the reserved one is refused by name', async () => {
    const name = await started()
    const takers = commandTree.flatMap((spec) =>
      (spec.options ?? [])
        .filter(({ completes }) => completes === 'account')
        .map(({ flags }) => [spec.name, name, flags.split(' ')[0] ?? '', 'medic']),
    )
    expect(takers.length).toBeGreaterThanOrEqual(2)
    for (const args of takers)
      expect(await place.run(args)).toEqual({
        ...{ code: 2, stdout: '' },
        stderr:
          'outpool: medic is reserved for the healer; no session is put on it\n  -> accounts of the pool: max-1, max-2\n',
      })
    expect((await heard(name)).moves).toEqual([])
  })

  it('attach says why there is no pane', async () => {
    const name = await started({ phase: 'parked' })
    await until(
      'parked',
      () => rowOf(name),
      (one) => one?.phase === 'parked',
    )
    const { code, stderr } = await place.run(['attach', name])
    expect(code).toBe(1)
    expect(stderr).toContain(`session ${name} has no pane here: it is parked`)
  })
})

describe('accounts', () => {
  const window = { name: 'five_hour', resetsAt: '2099-01-01T00:00:00.000Z', source: 'status-line' as const }
  const now = () => new Date().toISOString()
  const schema = z.array(
    z.strictObject({
      ...{
        name: z.string(),
        role: z.enum(['pool', 'reserved', 'substrate']),
        walledUntil: instant.nullable(),
      },
      windows: z.array(
        z.strictObject({
          ...{
            name: z.string(),
            used: z.number().min(0).max(1),
            resetsAt: instant.nullable(),
            readAt: instant,
          },
          ...{ source: z.string(), walled: z.boolean() },
        }),
      ),
      leases: z.array(z.string()),
      state: z.enum(['ready', 'near-limit', 'walled', 'unproven', 'logged-out', 'duplicate', 'disabled']),
    }),
  )

  it("lists the pool with this host's newer readings, the healer's own and the substrates", async () => {
    const early = new Date(Date.now() - 60_000).toISOString()
    const facts = {
      ...{
        role: 'pool' as const,
        ceiling: 1,
        maxSessions: null,
        walls: [],
        login: 'in' as const,
        loginAt: early,
      },
      ...{ identity: null, probedAt: null, trial: null, restUntil: null },
    }
    const wants = { since: early, why: 'max-1 walled until 22:10', retryAt: '2099-01-01T22:10:10.000Z' }
    const view: PoolView = {
      ...{ name: 'main', moveAt: 0.95 },
      waiting: Array.from({ length: 40 }, (_, n) => ({ ...wants, session: `p${n}` })),
      accounts: [
        { ...facts, name: 'max-1', windows: [{ ...window, used: 0.5, readAt: early }], leases: ['a', 'b'] },
        { ...facts, name: 'max-2', windows: [{ ...window, used: 0.1, readAt: early }], leases: [] },
        { ...facts, name: 'haiku-key', role: 'substrate', windows: [], leases: [] },
      ],
    }
    await client.workflow.start('pool', {
      workflowId: poolWorkflowId('main'),
      taskQueue: commonQueue,
      args: [view],
    })
    const seen = { ...{ walls: [], login: 'in' as const, loginAt: now(), identity: null, probedAt: null } }
    writeLive({}, [{ account: 'max-1', windows: [{ ...window, used: 0.97, readAt: now() }], ...seen }])
    const rows = parse(schema, await ok('accounts', '--json'))
    expect(rows.map(({ name, role, state, leases }) => [name, role, state, leases])).toEqual([
      ['max-1', 'pool', 'near-limit', ['a', 'b']],
      ['max-2', 'pool', 'ready', []],
      ['medic', 'reserved', 'unproven', []],
      ['haiku-key', 'substrate', 'ready', []],
    ])
    expect(rows[0]?.windows[0]?.used).toBe(0.97)
    const { stdout } = await place.run(['accounts'], { env: { COLUMNS: '100' } })
    expect(stdout).toMatch(/max-1 +pool +near-limit +2 +5h ████████ 97%/)
    const [table = '', waiting] = stdout.split('\n\n')
    for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
    expect(waiting).toMatch(/^p0, p1, .* and 30 more: parked until Jan 1 22:10: max-1 walled until 22:10$/m)
    expect(waiting).toMatch(/^would help most: one more account; until then they get up by themselves/m)
  })

  it('lists what the file names where the pool does not answer', async () => {
    const file = join(place.dir, 'outpool.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('pool:\n', 'pool:\n  name: another\n'))
    const { code, stdout, stderr } = await place.run(['accounts', '--json'])
    expect(code).toBe(0)
    expect(stderr).toContain('no worker answers for the pool')
    expect(parse(schema, stdout).map(({ name }) => name)).toEqual(['max-1', 'max-2', 'medic', 'haiku-key'])
  })
})
