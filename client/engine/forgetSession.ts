/** Removes every run of an ended session from the engine, with its history and its entry in lists. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client'
import { sessionWorkflowId } from '../../policy/ids.js'
import { FailedError } from '../errors.js'
import { type Engine, grpcCode, grpcStatus } from './engine.js'
import { handleOf } from './session.js'

/** The engine removes a run within a second, on a busy machine within several. Milliseconds. */
const goneWithin = 20_000
const pollEvery = 100

/** Returns once neither a list nor a look by name finds it. Throws FailedError if the engine does not remove it in time. */
export async function forgetSession(engine: Engine, name: string): Promise<void> {
  const workflowId = sessionWorkflowId(name)
  const asked = new Set<string>()
  const isGone = await engine.within(goneWithin + 5_000, async () => {
    const end = Date.now() + goneWithin
    while (Date.now() < end) {
      // Lists are seconds late: the newest run is found by name, those before it in the list.
      const newest = await newestRun(engine, name)
      const listed = await listedRuns(engine, workflowId)
      const runs = [...newest, ...listed.ended]
      if (runs.length === 0 && !listed.hasRunning) return true
      for (const runId of runs.filter((run) => !asked.has(run))) {
        await deleteRun(engine, workflowId, runId)
        asked.add(runId)
      }
      await sleep(pollEvery)
    }
    return false
  })
  if (!isGone)
    throw new FailedError(
      `the engine has accepted to remove ${name}, and still lists it`,
      'look again in a minute with `outpool ls --all`',
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
