/**
 * The socket at which the worker of a host answers its commands. Whatever is wrong with it, a command prints what it would print
 * without it; and with it, it loads nothing of the engine's library.
 */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../config/load/load.js'
import { maxLine, protocol, type Question } from '../../config/localSocket/protocol.js'
import { openHome } from '../../config/state/home.js'
import { version } from '../../config/version.js'
import { Host } from '../../host/host.js'
import { BreakableProxy } from '../../lab/engine/breakableProxy.js'
import { sealedClient } from '../../lab/engine/sealed.js'
import { suspend } from '../../lab/machine/suspend.js'
import { until } from '../../lab/until.js'
import { isNight } from '../byNight.js'
import { poolWorkflowId, sessionWorkflowId, commonQueue } from '../../policy/ids.js'
import type { PoolView } from '../../policy/pool/lease.js'
import { newMemo } from '../../policy/session/session.js'
import { FleetAnswers } from '../../worker/localSocket/fleetAnswers.js'
import { type Answering, LocalSocket } from '../../worker/localSocket/localSocket.js'
import { SessionList } from '../../worker/localSocket/sessionList.js'
import { ClientHarness, uniqueName } from './clientHarness.js'
import { newTestHome } from './testHome.js'

let harness: ClientHarness
let host: Host
let answers: FleetAnswers
let socket: LocalSocket
let path: string
/** What commands have asked the worker. */
let asked: Question['ask'][]

beforeAll(async () => {
  harness = await ClientHarness.open()
})
afterAll(() => harness.close())
beforeEach(async () => {
  harness.beginTest()
  const { env, config } = harness.home
  host = new Host(openHome(env), loadConfig({ path: config, env }))
  path = host.home.commandSocket
  asked = []
  answers = new FleetAnswers(host, harness.client)
  socket = new LocalSocket(host, recorded())
  await socket.open()
})
afterEach(async () => {
  await socket.close()
  await answers.settled()
  host.tmux.close()
  await harness.endTest()
})

const recorded = (): Answering => ({
  answer: (question) => {
    asked.push(question.ask)
    return answers.answer(question)
  },
})

const run = (...args: string[]) => harness.home.run(args)

/** Waits until the command prints the same with the socket and when the worker has closed it: what the engine lists may be late. */
async function bothWays(...args: string[]): Promise<void> {
  const before = asked.length
  await until(
    `outpool ${args.join(' ')}, the same by both ways`,
    async () => {
      const answered = withoutClock(await run(...args))
      await socket.close()
      const read = withoutClock(await run(...args))
      await socket.open()
      return { answered, read }
    },
    ({ answered, read }) => isDeepStrictEqual(answered, read),
    30_000,
  )
  expect(asked.length, 'questions of the worker').toBeGreaterThan(before)
}

/** The screen of `top` begins with the time. */
const withoutClock = <Ran extends { stdout: string }>(ran: Ran): Ran => ({
  ...ran,
  stdout: ran.stdout.replace(/^outpool \d\d:\d\d/, 'outpool'),
})

describe('the answers', () => {
  it('print the same, byte for byte, as those of the engine', async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString()
    const names = [
      await harness.started({ phase: 'idle', account: 'max-1', walledUntil: soon }),
      await harness.started({ phase: 'parked', parkedUntil: soon, why: 'max-1 is walled: “5 h”\u0007' }),
      await harness.started({ phase: 'waiting', attention: 'it asks for permission to run rm' }),
      await harness.started({ rescues: 2, account: null, substrate: 'haiku-key', model: 'haiku' }),
    ]
    const [idle = '', stopped = ''] = names
    await harness.runOk('stop', stopped)
    await startPool()
    await harness.untilListed(stopped, ({ phase }) => phase === 'stopped')
    for (const command of [['ls'], ['ls', '--json'], ['ls', '--all', '--json'], ['top']])
      await bothWays(...command)
    for (const name of [idle, stopped]) {
      await bothWays('show', name)
      await bothWays('show', name, '--json')
    }
    await bothWays('accounts')
    await bothWays('accounts', '--json')
    await bothWays('show', `${idle}x`)
    expect(asked).toEqual(expect.arrayContaining(['sessions', 'session', 'pool']))
  })

  it('list a large fleet, the same by both ways', async () => {
    const count = isNight ? 500 : 120
    await Promise.all(Array.from({ length: count }, () => listedOnly()))
    await until(
      'all in the list',
      async () => (await harness.listed()).filter(({ phase }) => phase === 'working'),
      (rows) => rows.length === count,
    )
    await bothWays('ls')
    await bothWays('ls', '--json')
  })

  it('name sessions and accounts for the shell, and leave another configuration alone', async () => {
    const name = await harness.started()
    await harness.untilListed(name, () => true)
    mkdirSync(join(host.home.sessions, 'ended-long-ago'))
    const completed = (await harness.runOk('__complete', 'session')).trimEnd().split('\n')
    expect(completed).toEqual(expect.arrayContaining(['ended-long-ago', name]))
    expect(completed).toEqual([...completed].sort())
    await bothWays('__complete', 'account')
    await bothWays('__complete', 'agent')
    const other = join(harness.home.dir, 'other.yaml')
    writeFileSync(
      other,
      readFileSync(harness.home.config, 'utf8')
        .replaceAll('max-2', 'max-1b')
        .replace('claude-max-1b', 'claude-max-2'),
    )
    const named = await harness.home.run(['__complete', 'account'], { env: { OUTPOOL_CONFIG: other } })
    expect(named.stdout).toBe('max-1\nmax-1b\n')
  })

  it('law 15: refuse a project that no person has trusted, in the same words by both ways, and at once after a change', async () => {
    const cwd = join(harness.home.dir, 'hooked')
    mkdirSync(join(cwd, '.claude'), { recursive: true })
    const command = { type: 'command', command: 'touch somewhere' }
    writeFileSync(
      join(cwd, '.claude', 'settings.json'),
      JSON.stringify({ hooks: { Stop: [{ hooks: [command] }] } }),
    )
    const refused = () => bothWays('start', uniqueName('r'), '--cwd', cwd)
    await refused()
    expect(asked).toContain('untrusted')
    expect(await run('start', uniqueName('r'), '--cwd', cwd)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('settings.json sets hooks') as string,
    })
    await harness.runOk('trust', cwd)
    await harness.runOk('start', uniqueName('r'), '--cwd', cwd)
    await harness.runOk('trust', cwd, '--revoke')
    await refused()
  })

  it('spare the command the library of the engine', async () => {
    const loaded = async (...args: string[]): Promise<string[]> => {
      const dir = join(harness.home.dir, `loaded-${args.join('-')}`)
      await harness.home.run(args, { env: { NODE_V8_COVERAGE: dir }, isAlone: true })
      return readdirSync(dir).flatMap((file) => {
        const { result } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as { result: { url: string }[] }
        return result.flatMap(({ url }) =>
          url.startsWith('file:') ? [readFileSync(fileURLToPath(url), 'utf8')] : [],
        )
      })
    }
    const isEngine = (code: string): boolean => code.includes('temporal.api.workflowservice')
    for (const args of [['ls'], ['accounts'], ['top'], ['__complete', 'session']])
      expect((await loaded(...args)).filter(isEngine)).toEqual([])
    await socket.close()
    expect((await loaded('ls')).some(isEngine)).toBe(true)
  })
})

describe('a worker that does not answer as it should', () => {
  it('hangs: the command asks the engine instead, and soon', async () => {
    const name = await listedOnly()
    await socket.close()
    const hung = await listeningProcess()
    await suspend(hung)
    try {
      await untilEngineLists(name)
      expect(await run('__complete', 'account')).toMatchObject({ code: 0, stdout: 'max-1\nmax-2\n' })
    } finally {
      process.kill(hung, 'SIGKILL')
    }
  })

  it('was killed, and has left its socket: the command asks the engine, and the next worker listens', async () => {
    const name = await listedOnly()
    await socket.close()
    const killed = await listeningProcess()
    process.kill(killed, 'SIGKILL')
    await until(
      'refused',
      () => connects(),
      (open) => !open,
    )
    expect(existsSync(path)).toBe(true)
    await untilEngineLists(name)
    await socket.open()
    await bothWays('ls')
  })

  const greeting = { outpool: version(), protocol, host: '' }
  const greet = (change: object) => JSON.stringify({ ...greeting, host: host.home.hostId, ...change })
  it.each<[string, () => string]>([
    ['is of another version', () => `${greet({ outpool: '0.0.1' })}\n{"listed":[],"heard":{}}\n`],
    ['speaks another protocol', () => `${greet({ protocol: protocol + 1 })}\n{"listed":[],"heard":{}}\n`],
    ['is that of another home', () => `${greet({ host: 'another' })}\n{"listed":[],"heard":{}}\n`],
    ['is no worker', () => 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['greets without an end', () => 'x'.repeat(maxLine.greeting + 1)],
    ['can not answer now', () => `${greet({})}\nnull\n`],
    ['answers with something else', () => `${greet({})}\n{"listed":"all","heard":{}}\n`],
    ['answers with a part', () => `${greet({})}\n{"listed":[`],
  ])('%s: the command asks the engine instead', async (_what, says) => {
    const name = await listedOnly()
    await socket.close()
    const impostor = createServer((near) => {
      near.on('error', () => undefined)
      near.resume()
      near.end(says())
    })
    await new Promise<void>((resolve) => impostor.listen(path, resolve))
    chmodSync(path, 0o600)
    await untilEngineLists(name)
    await new Promise((resolve) => impostor.close(resolve))
  })
})

describe('law 15: the path of the socket', () => {
  it('that another file has taken is set aside by the worker, and not used by the command', async () => {
    await socket.close()
    writeFileSync(path, 'mine')
    expect(await run('ls')).toMatchObject({ code: 0 })
    await socket.open()
    const [kept = ''] = readdirSync(host.home.odd)
    expect(readFileSync(join(host.home.odd, kept), 'utf8')).toBe('mine')
    await bothWays('ls')
  })

  it('is closed to others, and a socket that is not is not asked', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    chmodSync(path, 0o666)
    expect(await run('ls')).toMatchObject({ code: 0 })
    expect(asked).toEqual([])
  })

  it('of a home with a long path lies in a private folder, and no two homes share it', () => {
    const long = (name: string) => openHome({ OUTPOOL_HOME: join(harness.home.dir, 'x'.repeat(100), name) })
    const [one, other] = [long('one'), long('other')]
    expect(Buffer.byteLength(one.commandSocket)).toBeLessThan(104)
    expect(statSync(dirname(one.commandSocket)).mode & 0o777).toBe(0o700)
    expect(new Set([one, other].flatMap((home) => [home.commandSocket, home.tmuxSocket])).size).toBe(4)
  })

  it('of another home is not believed', async () => {
    const other = newTestHome()
    const { env, config } = other
    const theirs = new Host(openHome(env), loadConfig({ path: config, env }))
    const listening = new LocalSocket(theirs, { answer: () => Promise.resolve({ listed: [], heard: {} }) })
    await listening.open()
    try {
      const name = await listedOnly()
      await socket.close()
      renameSync(theirs.home.commandSocket, path)
      await untilEngineLists(name)
    } finally {
      await listening.close()
      theirs.tmux.close()
      other.remove()
    }
  })

  it('law 15: questions that are broken, endless or never asked harm no other', async () => {
    const silent = connect(path)
    const replies = await Promise.all(
      ['{}', 'no JSON', '{"ask":"session","name":"../x"}'].map((text) => raw(`${text}\n`)),
    )
    for (const reply of replies) expect(reply.split('\n')[1]).toBe('null')
    expect(await raw('x'.repeat(maxLine.question + 1))).not.toContain('null')
    await bothWays('ls')
    silent.destroy()
  })
})

describe('the list of sessions', () => {
  it('shows what workflows have shown, and the last list, while the engine is too busy to answer', async () => {
    const proxy = await BreakableProxy.open(harness.server.address)
    const connection = await Connection.connect({ address: proxy.address })
    const { namespace } = harness.server
    let now = 0
    const client = sealedClient(harness.server.home, connection, namespace)
    const list = new SessionList({ client }, 'another', () => now)
    try {
      const [listed, stops] = [await harness.started(), await harness.started()]
      const names = async (): Promise<string[]> =>
        (await list.sessions(new Date(Date.now() + 1_000))).map(({ card }) => card.name)
      await until('both', names, (all) => (now += 1_000) > 0 && all.length === 2)
      proxy.stall()
      now += 1_000
      const memo = (name: string) => newMemo({ ...spec, name }, new Date().toISOString())
      list.note(memo('began'), new Date())
      list.note({ ...memo(stops), phase: 'stopped' }, new Date())
      list.note({ not: 'a memo' }, new Date())
      expect(await names()).toEqual(['began', listed].sort())
      // By now it is so old that the engine has to answer.
      now += 60_001
      const waiting = names()
      expect(await Promise.race([waiting, delay(300, 'waits')])).toBe('waits')
      proxy.restore()
      await waiting
      await until('the list of the engine', names, (all) => (now += 10_000) > 0 && all.includes(stops))
      expect(await names()).toEqual([listed, stops].sort())
    } finally {
      await list.settled()
      await connection.close()
      await proxy.close()
    }
  })
})

const spec = {
  ...{ agent: 'claude-code', sessionId: '00000000-0000-4000-8000-000000000000', cwd: '/w', host: 'h' },
  ...{ model: null, account: null, pinned: false, priority: 0 },
}

/** The name of a session that is in the engine's list, and never runs. */
async function listedOnly(): Promise<string> {
  const name = uniqueName('n')
  const memo = newMemo({ ...spec, name, host: host.home.hostId }, new Date().toISOString())
  await harness.client.workflow.start('session', {
    ...{ workflowId: sessionWorkflowId(name), taskQueue: 'none', args: [] },
    memo: { session: { ...memo, phase: 'working' } },
  })
  return name
}

const untilEngineLists = (name: string): Promise<unknown> =>
  until(
    `${name} in ls`,
    () => run('ls'),
    ({ stdout }) => stdout.includes(name),
  )

async function startPool(): Promise<void> {
  const view: PoolView = {
    ...{ name: 'main', moveAt: 0.95, simulatedWalls: [] },
    waitlist: [
      { session: uniqueName('w'), since: '2026-01-02T03:04:05.000Z', why: 'all are walled', retryAt: null },
    ],
    accounts: ['max-1', 'max-2'].map((name) => ({
      ...{
        name,
        role: 'pool',
        ceiling: 0.8,
        maxSessions: 3,
        leases: ['a', 'b'],
        trial: null,
        restUntil: null,
      },
      ...{ windows: [], walls: [], login: 'in', loginAt: null, identity: name, probedAt: null },
    })),
  }
  await harness.client.workflow.start('pool', {
    ...{ workflowId: poolWorkflowId('main'), taskQueue: commonQueue, args: [view] },
  })
}

/** A process that listens at the path, as a worker would. Returns its id. */
async function listeningProcess(): Promise<number> {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => { require('fs').chmodSync(${JSON.stringify(path)}, 0o600); console.log('ready') })`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  if (child.pid === undefined) throw new Error('no process')
  return child.pid
}

/** Whether something accepts connections at the path. */
const connects = (): Promise<boolean> =>
  new Promise((resolve) => {
    const near = connect(path)
    near.once('error', () => resolve(false))
    near.once('connect', () => {
      near.destroy()
      resolve(true)
    })
  })

/** All that the worker says to this. */
const raw = (text: string): Promise<string> =>
  new Promise((resolve) => {
    let said = ''
    const near = connect(path)
    near.on('data', (chunk: Buffer) => (said += chunk.toString()))
    near.on('error', () => undefined)
    near.once('close', () => resolve(said))
    near.write(text)
  })
