/** Removes every run of an ended session from the engine, with its history and its entry in lists. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client'
import { grpcCode, grpcStatus } from '../../config/engine/grpc.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { FailedError } from '../errors.js'
import type { Engine } from './engine.js'
import { handleOf } from './session.js'

/** How long the engine's lists may lag behind what has ended. Milliseconds. */
const listedWithin = 20_000
const pollEvery = 100

/**
 * Returns once the engine has accepted to remove every run, which it does within a minute: until then a list, and a look by name, may
 * still find them. Throws FailedError if the session has begun again, or if the engine's list does not show in time what has ended.
 */
export async function forgetSession(engine: Engine, name: string): Promise<void> {
  const workflowId = sessionWorkflowId(name)
  const asked = new Set<string>()
  const isAccepted = await engine.within(listedWithin + 5_000, async () => {
    const end = Date.now() + listedWithin
    while (Date.now() < end) {
      const newest = await newestRun(engine, name)
      const listed = await listedRuns(engine, workflowId)
      const runs = [...newest, ...listed.ended].filter((run) => !asked.has(run))
      if (runs.length === 0 && !listed.hasRunning) return true
      for (const runId of runs) {
        await deleteRun(engine, workflowId, runId)
        asked.add(runId)
      }
      await sleep(pollEvery)
    }
    return false
  })
  if (!isAccepted)
    throw new FailedError(
      `${name} has ended, and the engine still lists it as running`,
      `try again in a minute: outpool forget ${name}`,
    )
}

/** Throws FailedError if it runs: the engine would end it. */
async function newestRun(engine: Engine, name: string): Promise<string[]> {
  let run: WorkflowExecutionDescription
  try {
    run = await handleOf(engine, name).describe()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return []
    throw error
  }
  if (run.status.name !== 'RUNNING') return [run.runId]
  throw new FailedError(`session ${name} has begun again`, `end it first: outpool stop ${name}`)
}

/** `hasRunning`: one is listed as running. It has ended, and the list is late; or it began just now, and is left alone. */
async function listedRuns(
  engine: Engine,
  workflowId: string,
): Promise<{ ended: string[]; hasRunning: boolean }> {
  const runs = { ended: Array<string>(), hasRunning: false }
  for await (const { runId, status } of engine.client.workflow.list({
    query: `WorkflowId = '${workflowId}'`,
  }))
    if (status.name === 'RUNNING') runs.hasRunning = true
    else runs.ended.push(runId)
  return runs
}

/** A run that is gone already is no error. */
async function deleteRun(engine: Engine, workflowId: string, runId: string): Promise<void> {
  try {
    await engine.client.workflowService.deleteWorkflowExecution({
      namespace: engine.namespace,
      workflowExecution: { workflowId, runId },
    })
  } catch (error) {
    if (grpcCode(error) !== grpcStatus.notFound) throw error
  }
}
