/**
 * Law 7: a worker with new code takes over running workflows. Each recorded history is replayed against
 * today's workflows; a change that they can't follow fails here, before it blocks a user's sessions. To fix
 * it, keep the old path with `patched()`, or record again (`npm run record-histories`) if no such session can
 * still run.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import type proto from '@temporalio/proto'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Envelope } from '../../policy/envelope.js'
import { noSinks, workflowBundle } from '../workflow/harness/bundle.js'
import { scenarios } from './scenarios.js'

// The log of the worker says nothing about the result.
Runtime.install({ logger: new DefaultLogger('ERROR') })

const folder = fileURLToPath(new URL('../histories/', import.meta.url))
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))

/** Why a history could not be continued, by its name. One worker replays them all. */
const errors = new Map<string, Error>()

beforeAll(async () => {
  const histories = names.map((name) => {
    const history = historyFromJSON(JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')))
    return { history, workflowId: workflowIdOf(history) }
  })
  const options = { workflowBundle: await workflowBundle(), replayName: 'histories', sinks: noSinks }
  // Results come in the order of the histories.
  const left = [...names]
  for await (const { error } of Worker.runReplayHistories(options, histories)) {
    const name = left.shift()
    if (name !== undefined && error !== undefined) errors.set(name, error)
  }
  expect(left, 'histories without a result').toEqual([])
})

describe('law 7: new code continues old histories', () => {
  it('law 7: every scenario has its recording', () => {
    expect([...names].sort()).toEqual(Object.keys(scenarios).sort())
  })

  it.each(names)('law 7: %s', (name) => {
    const error = errors.get(name)
    if (error !== undefined) throw error
  })
})

/** A history does not name its workflow, but the envelope of its input does (policy/envelope.ts). */
function workflowIdOf({ events }: proto.temporal.api.history.v1.IHistory): string {
  const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? []
  const { to } = JSON.parse(Buffer.from(input?.data ?? []).toString()) as Envelope
  return to
}
