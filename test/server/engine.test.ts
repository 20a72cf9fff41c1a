import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { tsToMs } from '@temporalio/common/lib/time.js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { processStart } from '../../host/process/processes.js'
import { openHome, type Home } from '../../config/state/home.js'
import { engineSchema, readEngine, type EngineEndpoint } from '../../config/state/liveFile.js'
import { obtainTemporal } from '../../worker/engine/find.js'
import { answers } from '../../worker/engine/connect.js'
import { openEngine, type Engine, type OpenEngine } from '../../worker/engine/index.js'
import { freePorts, someoneAnswers } from '../../worker/engine/ports.js'
import { serverArguments } from '../../worker/engine/servers.js'
import { EngineUnreachableError } from '../../worker/errors.js'
import { searchAttributes } from '../../policy/ids.js'
import { randomPorts, testPorts } from '../../lab/engine/testPorts.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'
import { suspend } from '../../lab/machine/suspend.js'
import { hangsAfterMs, until } from '../../lab/until.js'

/** An engine on a busy machine must not count as one that hangs. */
const quick = { pollEvery: 100, callEvery: 300, hangs: 60_000, pauses: [200] }

describe('the embedded engine', () => {
  let dir: string
  let home: Home
  let said: string[]
  const cleanUp: (() => unknown)[] = []

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'outpool-engine-'))
    home = openHome({ ...process.env, OUTPOOL_HOME: dir })
    said = []
  })
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step()
    await rm(dir, { recursive: true, force: true })
  })

  async function open(options: Partial<OpenEngine> = {}): Promise<Engine> {
    const engine = await openEngine({
      home,
      env: ownEngineOnly(),
      say: (line) => said.push(line),
      firstPorts: testPorts,
      timing: quick,
      ...options,
    })
    cleanUp.push(() => engine.stop())
    return engine
  }
  async function clientOf(engine: Engine): Promise<Client> {
    const connection = await Connection.connect(engine.connectOptions)
    cleanUp.push(() => connection.close())
    return new Client({ connection, namespace: engine.endpoint.namespace })
  }
  const startSome = (client: Client, workflowId: string) =>
    client.workflow.start('anything', { workflowId, taskQueue: 'nobody', args: [] })
  const attributesOf = async ({ connection }: Client): Promise<Record<string, number>> => {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'default',
    })
    return customAttributes
  }
  const retentionDaysOf = async ({ connection }: Client): Promise<number> => {
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' })
    return tsToMs(config?.workflowExecutionRetentionTtl) / 86_400_000
  }
  const isThere = async (pid: number | null): Promise<boolean> =>
    pid !== null && (await processStart(pid)) !== null
  const ourAttributes = Object.values(searchAttributes)

  it('starts, tells every command its address, answers, and ends without leaving a process', async () => {
    const engine = await open()
    expect(engine.own).toBe(true)
    expect(readEngine(home)).toEqual(engine.endpoint)
    const { address, uiUrl, pid } = engine.endpoint
    expect(address).toMatch(/^127\.0\.0\.1:27\d\d\d$/)
    expect(uiUrl).toBeNull()
    const client = await clientOf(engine)
    await startSome(client, 'w')

    await engine.stop()
    expect(await isThere(pid)).toBe(false)
    expect(existsSync(home.engineFile)).toBe(false)
  })

  it('listens on loopback only: other machines must not reach an engine without passwords', async () => {
    const engine = await open()
    const [, port] = engine.endpoint.address.split(':')
    const outside = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
    expect(await someoneAnswers(Number(port))).toBe(true)
    for (const { address } of outside)
      await expect(
        Connection.connect({ address: `${address}:${port}`, connectTimeout: 2_000 }),
      ).rejects.toThrow()
    const command = readFileSync(`/proc/${engine.endpoint.pid}/cmdline`, 'utf8').split('\0')
    expect(command).toContain('127.0.0.1')
  })

  it('keeps its database in WAL mode with synchronous=FULL', async () => {
    const engine = await open()
    await startSome(await clientOf(engine), 'w')
    const header = Buffer.alloc(20)
    readSync(openSync(home.database, 'r'), header, 0, 20, 0)
    // Bytes 18 and 19 of an SQLite file: version 2 to write and to read is WAL.
    expect([header[18], header[19]]).toEqual([2, 2])
    expect(existsSync(`${home.database}-wal`)).toBe(true)
    await engine.stop()
    // How the server itself reads our arguments: this is what every one of its connections is opened with.
    const { path } = await obtainTemporal({ env: ownEngineOnly(), say: () => undefined })
    const args = serverArguments(home.database, await freePorts(testPorts))
    const server = spawn(path, [...args, '--log-config'], { stdio: ['ignore', 'ignore', 'pipe'] })
    cleanUp.push(() => server.kill('SIGKILL'))
    let config = ''
    server.stderr.on('data', (chunk: Buffer) => (config += chunk.toString()))
    await vi.waitFor(
      () => expect(config).toMatch(/connectAttributes:\n(\s+\S+: \S+\n)*\s+synchronous: "?FULL/i),
      { timeout: hangsAfterMs },
    )
  })

  it('keeps finished sessions for 30 days and has our search attributes', async () => {
    const client = await clientOf(await open())
    expect(await retentionDaysOf(client)).toBe(30)
    expect(Object.keys(await attributesOf(client))).toEqual(expect.arrayContaining(ourAttributes))
    const query =
      'OutpoolPhase = "working" AND OutpoolRescues > 1 AND OutpoolAttention = true AND OutpoolWalledUntil > "2026-01-01T00:00:00Z"'
    expect((await client.workflow.count(query)).count).toBe(0)
  })

  it('completes a database that an older engine made without them', async () => {
    const { path } = await obtainTemporal({ env: ownEngineOnly(), say: () => undefined })
    const { grpc, ui } = await freePorts(randomPorts())
    const plain = spawn(path, [
      'server',
      'start-dev',
      '-f',
      home.database,
      '-p',
      String(grpc),
      '--ui-port',
      String(ui),
    ])
    cleanUp.push(() => plain.kill('SIGKILL'))
    const before = new Client({ connection: await connected(`127.0.0.1:${grpc}`) })
    await startSome(before, 'from-before')
    expect(Object.keys(await attributesOf(before))).not.toContain('OutpoolPhase')
    await before.connection.close()
    plain.kill('SIGTERM')
    await once(plain, 'exit')

    const client = await clientOf(await open())
    expect(await retentionDaysOf(client)).toBe(30)
    expect(Object.keys(await attributesOf(client))).toEqual(expect.arrayContaining(ourAttributes))
    await client.workflow.getHandle('from-before').describe()
  })

  it('law 7: comes back after kill -9, at the same address, with everything it held', async () => {
    const onDown = vi.fn()
    const onUp = vi.fn()
    const engine = await open({ onDown, onUp })
    const { address, pid } = engine.endpoint
    const client = await clientOf(engine)
    const handle = await startSome(client, 'w')
    for (let round = 1; round <= 2; round++) {
      const { pid: victim } = engine.endpoint
      process.kill(victim!, 'SIGKILL')
      await vi.waitFor(() => expect(onUp).toHaveBeenCalledTimes(round), { timeout: hangsAfterMs })
      expect(onDown).toHaveBeenCalledTimes(round)
      expect(engine.endpoint).toMatchObject({ address })
      expect(engine.endpoint.pid).not.toBe(victim)
      expect(readEngine(home)).toEqual(engine.endpoint)
      // The connection from before reconnects by itself.
      expect((await handle.describe()).status.name).toBe('RUNNING')
    }
    expect(engine.endpoint.pid).not.toBe(pid)
  })

  it('law 7: a worker goes on with the engine that came back', async () => {
    const onUp = vi.fn()
    const engine = await open({ onUp })
    const connection = await NativeConnection.connect(engine.connectOptions)
    cleanUp.push(() => connection.close())
    const worker = await Worker.create({
      connection,
      taskQueue: 'echo',
      workflowsPath: new URL('../../lab/engine/echoWorkflow.ts', import.meta.url).pathname,
    })
    const client = await clientOf(engine)
    const say = (text: string) =>
      client.workflow.execute('echo', { workflowId: text, taskQueue: 'echo', args: [text] })
    await worker.runUntil(async () => {
      expect(await say('before')).toBe('before')
      process.kill(engine.endpoint.pid!, 'SIGKILL')
      await vi.waitFor(() => expect(onUp).toHaveBeenCalledOnce(), { timeout: hangsAfterMs })
      expect(await say('after')).toBe('after')
    })
  })

  it('law 10: a damaged engine.json is written again, so that commands find the engine', async () => {
    const { endpoint } = await open()
    writeFileSync(home.engineFile, '{"address": "127.0')
    await until(
      'the file',
      () => Promise.resolve(readEngine(home)),
      (found) => found?.address === endpoint.address,
    )
  })

  it('law 10: replaces an engine that hangs', async () => {
    const onUp = vi.fn()
    const engine = await open({ onUp, timing: { ...quick, hangs: 3_000 } })
    const { pid } = engine.endpoint
    const handle = await startSome(await clientOf(engine), 'w')
    await suspend(pid!)
    await vi.waitFor(() => expect(onUp).toHaveBeenCalled(), { timeout: hangsAfterMs })
    expect(await isThere(pid)).toBe(false)
    expect((await handle.describe()).status.name).toBe('RUNNING')
  })

  it('reports once that it cannot be started again, keeps trying, and comes back when it can', async () => {
    const onUp = vi.fn()
    const engine = await open({ onUp })
    const port = Number(engine.endpoint.address.split(':')[1])
    const thief = createServer()
    process.kill(engine.endpoint.pid!, 'SIGKILL')
    await vi.waitFor(
      async () => {
        thief.listen(port, '127.0.0.1')
        await once(thief, 'listening')
      },
      { timeout: hangsAfterMs },
    )
    const troubles = () => said.filter((line) => line.includes('3 times in a row'))
    await vi.waitFor(() => expect(troubles()).toHaveLength(1), { timeout: hangsAfterMs })
    expect(troubles()[0]).toContain(`port ${port} on 127.0.0.1 is taken by another program`)
    thief.close()
    await vi.waitFor(() => expect(onUp).toHaveBeenCalledOnce(), { timeout: hangsAfterMs })
    expect(troubles()).toHaveLength(1)
  })

  it('law 10: starts on a port whose last program accepted connections, never answered and still has them', async () => {
    const tried = randomPorts()
    const { grpc } = await freePorts(tried)
    const silent = createServer().listen(grpc, '127.0.0.1')
    const accepted = once(silent, 'connection')
    await once(silent, 'listening')
    expect(await answers({ address: `127.0.0.1:${grpc}` }, 'default', 500)).toBe(false)
    const [socket] = (await accepted) as [Socket]
    cleanUp.push(() => socket.destroy())
    silent.close()
    const engine = await open({ firstPorts: { ...tried, grpc } })
    expect(engine.endpoint.address).toBe(`127.0.0.1:${grpc}`)
  })

  it('uses the next free ports if the usual ones are taken', async () => {
    const ports = await freePorts(randomPorts())
    const others = [ports.grpc, ports.ui!].map((port) => createServer().listen(port, '127.0.0.1'))
    await Promise.all(others.map((other) => once(other, 'listening')))
    cleanUp.push(() => others.forEach((other) => other.close()))
    const { endpoint } = await open({ ui: true, firstPorts: { grpc: ports.grpc, ui: ports.ui! } })
    const [grpc, ui] = [endpoint.address, String(endpoint.uiUrl)].map((text) =>
      Number(text.split(':').at(-1)),
    )
    expect(grpc).toBeGreaterThan(ports.grpc)
    expect(ui).toBeGreaterThan(ports.ui!)
    expect((await fetch(String(endpoint.uiUrl))).status).toBe(200)
  })

  it('keeps its history over a stop and a start', async () => {
    const engine = await open()
    await startSome(await clientOf(engine), 'w')
    await engine.stop()
    const description = await (await clientOf(await open())).workflow.getHandle('w').describe()
    expect(description.status.name).toBe('RUNNING')
  })

  /** Kills an `up` of this home whose engine is left running. Returns that engine's address. */
  async function leaveOrphan(how: 'SIGKILL' | 'group SIGINT'): Promise<EngineEndpoint> {
    const script = new URL('../../lab/engine/engineChild.ts', import.meta.url).pathname
    const up = spawn(process.execPath, ['--import', 'tsx', script], {
      env: { ...process.env, OUTPOOL_HOME: dir },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    const [line] = (await once(createInterface(up.stdout), 'line')) as [string]
    const endpoint = engineSchema.parse(JSON.parse(line))
    cleanUp.push(() => {
      try {
        process.kill(endpoint.pid!, 'SIGKILL')
      } catch {
        // It was ended by what the test is about.
      }
    })
    if (how === 'SIGKILL') up.kill('SIGKILL')
    else process.kill(-up.pid!, 'SIGINT')
    await once(up, 'exit')
    return endpoint
  }

  it('stays alive when Ctrl-C ends everything in the terminal’s group: the worker stops first', async () => {
    const { pid, address } = await leaveOrphan('group SIGINT')
    expect(await isThere(pid)).toBe(true)
    expect(await someoneAnswers(Number(address.split(':')[1]))).toBe(true)
  })

  it('law 7: adopts a healthy engine that outlived its `up`, and keeps it alive too', async () => {
    const orphan = await leaveOrphan('SIGKILL')
    const onUp = vi.fn()
    const engine = await open({ onUp })
    expect(engine.endpoint).toEqual(orphan)
    expect(readEngine(home)).toEqual(orphan)
    process.kill(orphan.pid!, 'SIGKILL')
    await vi.waitFor(() => expect(onUp).toHaveBeenCalledOnce(), { timeout: hangsAfterMs })
    expect(engine.endpoint.address).toBe(orphan.address)
    await engine.stop()
    expect(await isThere(engine.endpoint.pid)).toBe(false)
  })

  it('adopts it even if engine.json is gone, rather than running two servers on one database', async () => {
    const orphan = await leaveOrphan('SIGKILL')
    await rm(home.engineFile)
    expect((await open()).endpoint).toEqual(orphan)
  })

  it('replaces an engine that does not answer, and nothing else', async () => {
    const orphan = await leaveOrphan('SIGKILL')
    await suspend(orphan.pid!)
    const bystander = spawn('sleep', ['600'])
    cleanUp.push(() => bystander.kill('SIGKILL'))
    // An old file whose process id now belongs to another program.
    writeFileSync(home.engineFile, JSON.stringify({ ...orphan, pid: bystander.pid }))
    const { endpoint } = await open()
    expect(endpoint.pid).not.toBe(orphan.pid)
    expect(await isThere(orphan.pid)).toBe(false)
    expect(await isThere(bystander.pid!)).toBe(true)
  })
})

describe('an engine of the user’s own', () => {
  it('gets our search attributes, keeps its retention, and outlives us', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'outpool-engine-'))
    const home = openHome({ ...process.env, OUTPOOL_HOME: dir })
    const { path } = await obtainTemporal({ env: ownEngineOnly(), say: () => undefined })
    const { grpc, ui } = await freePorts(randomPorts())
    const server = spawn(path, ['server', 'start-dev', '-p', String(grpc), '--ui-port', String(ui)])
    try {
      const address = `127.0.0.1:${grpc}`
      const connection = await connected(address)
      const said: string[] = []
      const env = { ...ownEngineOnly(), TEMPORAL_ADDRESS: address }
      const engine = await openEngine({ home, env, say: (line) => said.push(line), timing: quick })
      expect(engine).toMatchObject({
        own: false,
        endpoint: { address, namespace: 'default', uiUrl: null, pid: null },
      })
      expect(readEngine(home)).toEqual(engine.endpoint)
      expect(said.join('\n')).toMatch(/keeps finished sessions for 1 days only.*--retention 30d/)
      const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' })
      expect(tsToMs(config?.workflowExecutionRetentionTtl)).toBe(86_400_000)
      writeFileSync(home.engineFile, '{"address": "127.0')
      await until(
        'engine.json',
        () => Promise.resolve(readEngine(home)),
        (found) => found?.address === address,
      )
      await engine.stop()
      expect(existsSync(home.engineFile)).toBe(false)
      const { customAttributes } = await connection.operatorService.listSearchAttributes({
        namespace: 'default',
      })
      expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.values(searchAttributes)))
      await connection.close()
    } finally {
      server.kill('SIGKILL')
      await rm(dir, { recursive: true, force: true })
    }
  })

  it('is named with its address if it does not answer, and no other engine is started', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'outpool-engine-'))
    const home = openHome({ ...process.env, OUTPOOL_HOME: dir })
    const env = { ...ownEngineOnly(), TEMPORAL_ADDRESS: '127.0.0.1:9' }
    const error: unknown = await openEngine({ home, env, say: () => undefined }).catch(
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof EngineUnreachableError)) throw error
    expect(error.message).toContain('127.0.0.1:9 refuses connections: nothing listens there')
    expect(error.remedy).toContain('TEMPORAL_ADDRESS')
    expect(existsSync(home.database)).toBe(false)
    await rm(dir, { recursive: true, force: true })
  })
})

/** A connection to a server that is still starting. */
async function connected(address: string): Promise<Connection> {
  return vi.waitFor(() => Connection.connect({ address, connectTimeout: 1_000 }), {
    timeout: hangsAfterMs,
    interval: 100,
  })
}
