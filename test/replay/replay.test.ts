/**
 * Law 7: a worker with new code takes over what runs. Each recorded life is replayed against today's workflows; a change
 * that they can't follow turns red here, before it wedges somebody's sessions. What to do then: keep the old way open with
 * `patched()`, or record anew (`npm run record-histories`) where no such session can still run.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { describe, expect, it } from 'vitest'
import { workflowBundle } from '../workflow/harness/bundle.js'
import { scenarios } from './scenarios.js'

// What a replay says of its workers is not news.
Runtime.install({ logger: new DefaultLogger('ERROR') })

const folder = fileURLToPath(new URL('../histories/', import.meta.url))
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))

describe('law 7: new code goes on with old histories', () => {
  it('law 7: every kind of life has its recording', () => {
    expect([...names].sort()).toEqual(Object.keys(scenarios).sort())
  })

  it.each(names)('law 7: %s', async (name) => {
    const history = historyFromJSON(JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')))
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle(), replayName: name }, history)
  })
})
