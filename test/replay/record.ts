/**
 * Records the histories that the replay tests check today's workflows against. Run by hand (`npm run
 * record-histories`) once a change to the workflows is meant to break running ones; until then a red replay
 * test is right. Names after `--` record only those, for example a new one.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { TestServer } from '../workflow/harness/testServer.js'
import { runScenario, scenarios } from './scenarios.js'

const folder = fileURLToPath(new URL('../histories/', import.meta.url))

/**
 * Anything that identifies the recording machine does not belong in a fixture, and replay does not need it.
 */
const machineFields: Record<string, string> = { identity: 'worker', stackTrace: '', binaryChecksum: '' }
const withoutMachine = (json: string): string =>
  JSON.stringify(JSON.parse(json), (key, value: unknown) =>
    typeof value === 'string' && key in machineFields ? machineFields[key] : value,
  )

const requested = process.argv.slice(2)
const unknown = requested.filter((name) => !(name in scenarios))
if (unknown.length > 0)
  throw new Error(
    `no scenario is called ${unknown.join(', ')}; there are ${Object.keys(scenarios).join(', ')}`,
  )
const names = requested.length > 0 ? requested : Object.keys(scenarios)

const testServer = await TestServer.open()
try {
  for (const name of names) {
    const history = await runScenario(testServer, name)
    const json = withoutMachine(historyToJSON(history))
    writeFileSync(`${folder}${name}.json`, `${json}\n`)
    console.log(`${name}: ${history.events?.length ?? 0} events, ${Math.round(json.length / 1024)} KiB`)
  }
} finally {
  await testServer.close()
}
