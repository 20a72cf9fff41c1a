/** Asks a run, which may be closed, for the state that it would hand over to a next one. */
import type { Client } from '@temporalio/client'
import { z } from 'zod'
import { sessionOfWorkflow } from '../../policy/ids.js'
import { log } from '../../host/log.js'
import type { CarriedOver } from '../../workflows/renewal.js'
import { stateQueries } from '../../workflows/messages.js'

/** Who takes work away from the worker can answer a query, though with nothing that was sealed as such an answer. */
const carriedOverSchema = z.object({ state: z.record(z.string(), z.unknown()) })
type CarriedOverState = CarriedOver<Record<string, unknown>>

/** Null if it can't be asked for that, now or ever. `what`: what happened to the run, for the log. */
export async function carriedOverState(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId: string },
  what: string,
): Promise<CarriedOverState | null> {
  try {
    const answer: unknown = await client.workflow.getHandle(workflowId, runId).query(stateQueries.carriedOver)
    const carriedOver = checkCarriedOver(workflowId, answer)
    if (carriedOver !== null) return carriedOver
    log.warn(`${workflowId} ${what}, and the answer about its state did not come from Outpool`)
    return null
  } catch (error) {
    log.warn({ err: error }, `${workflowId} ${what}, and its state could not be read`)
    return null
  }
}

/** Null if it is no state of this workflow. */
export function checkCarriedOver(workflowId: string, answer: unknown): CarriedOverState | null {
  const { data } = carriedOverSchema.safeParse(answer)
  const session = sessionOfWorkflow(workflowId)
  return data === undefined || (session !== null && data.state['name'] !== session) ? null : data
}
