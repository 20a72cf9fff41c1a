/**
 * `outpool drill` and its schedule against a real engine; the drill itself is a stand-in workflow
 * (clientWorkflows.ts).
 */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../config/config.js'
import { ensureSealKeys } from '../../config/seal/keys.js'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import type { DrillReport } from '../../policy/independence/drill.js'
import { commonQueue, drillScheduleId } from '../../policy/ids.js'
import { sealedDataConverter } from '../../worker/connection/workflowCode.js'
import { syncDrill } from '../../worker/schedules/drillSchedule.js'
import { type DevServer, sharedServer } from '../../lab/engine/engine.js'
import { sealedClient } from '../../lab/engine/sealed.js'
import { clientWorkflowBundle } from './clientHarness.js'
import { type TestHome, newTestHome } from './testHome.js'

let server: DevServer
let client: Client
let native: NativeConnection
let place: TestHome

beforeAll(async () => {
  server = await sharedServer()
  const connection = await Connection.connect({ address: server.address })
  client = sealedClient(server.home, connection, server.namespace)
  native = await NativeConnection.connect({ address: server.address })
})
afterAll(async () => {
  await native.close()
  await client.connection.close()
  await server.stop()
})
beforeEach(() => {
  place = newTestHome()
  copyFileSync(server.home.engineFile, join(place.home, 'engine.json'))
  copyFileSync(server.home.sealKeys, join(place.home, 'seal-keys.json'))
})
afterEach(() => place.remove())

async function withWorker(use: () => Promise<void>): Promise<void> {
  const worker = await Worker.create({
    ...{ connection: native, namespace: server.namespace, taskQueue: commonQueue },
    workflowBundle: await clientWorkflowBundle(),
    dataConverter: sealedDataConverter(ensureSealKeys(server.home), server.namespace),
  })
  await worker.runUntil(use)
}

/** As a worker that watches its sessions leaves it. */
function watched(): void {
  const live = { at: new Date().toISOString(), pid: process.pid, sessions: {}, accounts: [] }
  writeFileSync(join(place.home, 'live.json'), JSON.stringify(live))
}

describe('outpool drill', () => {
  it('runs one, prints its report, and exits 1 if it failed', async () => {
    watched()
    await withWorker(async () => {
      const { code, stdout, stderr } = await place.run(['drill'])
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout:
          'ok    falls back  idle on haiku (1 s)\n\nThe healer acts when every account is spent: proven in 0 s with drill-1.\n',
      })
      expect(stderr).toMatch(/drill\/2\d{3}-/)
      const agents = 'agents: { fails: { command: x } }\ndrill: { agent: fails }\n'
      writeFileSync(join(place.dir, 'failing.yaml'), `${plain}${agents}`)
      const failed = await place.run(['drill', '--json', '--config', 'failing.yaml'])
      expect(failed.code).toBe(1)
      expect(JSON.parse(failed.stdout) as DrillReport).toMatchObject({ ok: false, why: 'it parked' })
    })
  })

  it('needs a worker that watches: without one nothing would react', async () => {
    const { code, stderr } = await place.run(['drill'])
    expect(code).toBe(1)
    expect(stderr).toBe(
      'outpool: no worker is watching on this host, so the drill could not run\n  -> start it with `outpool up`\n',
    )
  })
})

const plain = 'pool: { accounts: [{ name: max-1, configDir: ~/.claude-max-1 }] }\n'

describe('the schedule of drills', () => {
  it("follows the configuration at each start of a worker, and keeps a person's pause", async () => {
    const home = openHome({ OUTPOOL_HOME: place.home })
    const config = (more: string): Config => {
      writeFileSync(place.config, `${plain}${more}`)
      return loadConfig({ env: place.env, cwd: place.dir })
    }
    const handle = client.schedule.getHandle(drillScheduleId('main'))
    await syncDrill(client, home, config(''))
    await expect(handle.describe()).rejects.toThrow()
    await syncDrill(client, home, config('drill: { every: 7d, model: haiku }\n'))
    const made = await handle.describe()
    expect(made.spec.intervals?.[0]?.every).toBe(7 * 86_400_000)
    expect(made.action).toMatchObject({
      workflowType: 'drill',
      args: [{ args: [{ pool: 'main', model: 'haiku' }] }],
    })
    await handle.pause('not today')
    await syncDrill(client, home, config('drill: { every: 1d }\n'))
    const changed = await handle.describe()
    expect(changed.spec.intervals?.[0]?.every).toBe(86_400_000)
    expect(changed.state.paused).toBe(true)
    await syncDrill(client, home, config(''))
    await expect(handle.describe()).rejects.toThrow()
  })
})
