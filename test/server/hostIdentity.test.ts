/**
 * Which host this is, and that it is the only one: on a real engine, with the other machine's polling done by
 * hand.
 */
import { cpSync, mkdtempSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EngineClock } from '../../host/state/engineClock.js'
import { openHome } from '../../config/state/home.js'
import { hostIdOf } from '../../config/state/hostId.js'
import { hostQueue } from '../../policy/ids.js'
import { untilSoleWorker } from '../../worker/connection/soleWorker.js'
import { checkClock } from '../../worker/doctor/clock.js'
import { engineAhead } from '../../config/engine/pollers.js'
import { workerIdentity } from '../../worker/connection/identity.js'
import { type DevServer, sharedServer } from '../../lab/engine/engine.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'

let dir: string

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-host-')))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('law 3: the id of a host', () => {
  const folder = (name: string): string => openHome({ OUTPOOL_HOME: join(dir, name) }).dir

  it('law 3: is kept over restarts, and when its home is moved', () => {
    const home = folder('home')
    const id = hostIdOf(home)
    expect(openHome({ OUTPOOL_HOME: home }).hostId).toBe(id)
    renameSync(home, join(dir, 'moved'))
    expect(hostIdOf(join(dir, 'moved'))).toBe(id)
    expect(hostIdOf(join(dir, 'moved'))).toBe(id)
  })

  it('law 3: differs in a copy, on the same machine and on another', () => {
    const home = folder('home')
    const [id, copy] = [hostIdOf(home), join(dir, 'copy')]
    cpSync(home, copy, { recursive: true })
    expect(hostIdOf(copy)).not.toBe(id)
    expect(hostIdOf(copy)).toBe(hostIdOf(copy))
    const elsewhere = hostIdOf(home, 'another machine')
    expect(elsewhere).not.toBe(id)
    // A disk that both share: each finds its own id again.
    expect([hostIdOf(home), hostIdOf(home, 'another machine')]).toEqual([id, elsewhere])
  })

  it("law 3: does not derive from the machine's name and the path: two hosts equal in both are two", () => {
    const home = folder('home')
    const id = hostIdOf(home)
    rmSync(home, { recursive: true })
    folder('home')
    expect(hostIdOf(home)).not.toBe(id)
  })
})

describe('on an engine', () => {
  let server: DevServer
  let connection: Connection

  beforeAll(async () => {
    server = await sharedServer()
    connection = await Connection.connect(server.connectOptions)
  })
  afterAll(async () => {
    await connection.close()
    await server.stop()
  })

  /** Polls once for the host's work, as a worker of this identity would. */
  async function ask(identity: string): Promise<void> {
    const taskQueue = { name: hostQueue(server.home.hostId) }
    await connection
      .withDeadline(Date.now() + 3_000, () =>
        connection.workflowService.pollActivityTaskQueue({
          namespace: server.namespace,
          taskQueue,
          identity,
        }),
      )
      .catch(() => undefined)
  }

  const start = (signal: AbortSignal, said: string[]): Promise<boolean> =>
    untilSoleWorker({
      ...{ home: server.home, connectOptions: server.connectOptions, namespace: server.namespace, signal },
      say: (line) => said.push(line),
    })

  it('law 3: nothing is started while another machine answers for the id; an earlier worker on this one is no obstacle', async () => {
    const said: string[] = []
    await ask(workerIdentity(server.home.hostId).replace(/\.[0-9a-f]{12}\./, '.000000000000.'))
    expect(await start(new AbortController().signal, said)).toBe(true)
    expect(said).toEqual([])
    await ask(`17.aaaaaaaaaaaa.0123456789abcdef@${server.home.hostId}`)
    const stopped = new AbortController()
    const starting = untilSoleWorker({
      ...{ home: server.home, connectOptions: server.connectOptions, namespace: server.namespace },
      signal: stopped.signal,
      say: (line) => {
        said.push(line)
        stopped.abort()
      },
    })
    expect(await starting).toBe(false)
    expect(said).toEqual([expect.stringContaining(`runs a worker for ${server.home.hostId}`)])
  })

  it("law 6: the engine's clock is known even if this host's is off by minutes, and doctor says by how much", async () => {
    const off = 7 * 60_000
    const wrong = (): number => Date.now() - off
    const ahead = await engineAhead(connection, server.namespace, wrong)
    expect(Math.abs(ahead - off)).toBeLessThan(5_000)
    const clock = new EngineClock(wrong)
    clock.setAhead(ahead)
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(5_000)
    const env = {
      ...ownEngineOnly({}),
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: server.namespace,
    }
    const later = (): number => Date.now() + off
    expect(await checkClock(server.home, later, env)).toMatchObject({ state: 'warn' })
    expect((await checkClock(server.home, later, env)).found).toMatch(/differs by 4(19|20|21) s .*ahead/)
  })
})
