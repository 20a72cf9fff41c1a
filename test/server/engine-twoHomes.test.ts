/** Two homes on one machine never meet, even if both start at the same moment and want the same ports. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { endEmbedded, startEmbedded, type EmbeddedServer } from '../../worker/engine/embedded.js'
import { obtainTemporal } from '../../worker/engine/find.js'
import { serversOf } from '../../worker/engine/servers.js'
import { testPorts } from '../../lab/engine/testPorts.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'
import { until } from '../../lab/until.js'

let dir: string
let temporal: string
let started: EmbeddedServer[]

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'outpool-homes-'))
  temporal = (await obtainTemporal({ env: ownEngineOnly(), say: () => undefined })).path
  started = []
})
afterEach(async () => {
  for (const { process } of started) await endEmbedded(process)
  await rm(dir, { recursive: true, force: true })
})

async function start(name: string, program = temporal): Promise<EmbeddedServer> {
  const home = openHome({ OUTPOOL_HOME: join(dir, name) })
  const server = await startEmbedded({ home, program, firstPorts: testPorts, say: () => undefined })
  started.push(server)
  const running = await serversOf(home.database)
  expect(running).toEqual([{ process: server.process, ports: server.ports }])
  return server
}

it('two homes that start at once get an engine each', async () => {
  const [one, other] = await Promise.all([start('one'), start('other')])
  expect(one.ports.grpc).not.toBe(other.ports.grpc)
  expect(one.ports.ui).not.toBe(other.ports.ui)
})

it('one that is slow to start does not mistake the engine that answers at its port for its own', async () => {
  const slow = join(dir, 'slow')
  const waits = `touch '${dir}/waits'; until [ -e '${dir}/go' ]; do sleep 0.3; done`
  writeFileSync(slow, `#!/bin/sh\n${waits}\nexec '${temporal}' "$@"\n`)
  chmodSync(slow, 0o755)
  const late = start('late', slow)
  await until('the slow start', () => Promise.resolve(existsSync(join(dir, 'waits'))), Boolean)
  const early = await start('early')
  writeFileSync(join(dir, 'go'), '')
  expect((await late).ports.grpc).not.toBe(early.ports.grpc)
})
