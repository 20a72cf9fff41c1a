/**
 * Law 7: a worker with new code takes over what runs. Each recorded life is replayed against today's workflows; a change
 * that they can't follow turns red here, before it wedges somebody's sessions. What to do then: keep the old way open with
 * `patched()`, or record anew (`npm run record-histories`) where no such session can still run.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { Worker } from '@temporalio/worker'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundleWorkflows } from '../workflow/harness/testServer.js'
import { scenarios } from './scenarios.js'

const folder = fileURLToPath(new URL('../histories/', import.meta.url))
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))

describe('law 7: new code goes on with old histories', () => {
  let workflowBundle: Awaited<ReturnType<typeof bundleWorkflows>>
  beforeAll(async () => {
    workflowBundle = await bundleWorkflows()
  })

  it('law 7: every kind of life has its recording', () => {
    expect([...names].sort()).toEqual(Object.keys(scenarios).sort())
  })

  it.each(names)('law 7: %s', async (name) => {
    const history = historyFromJSON(JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')))
    await Worker.runReplayHistory({ workflowBundle, replayName: name }, history)
  })
})
