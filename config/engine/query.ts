/** A question to a workflow, which a worker has to answer. */
import type { Client } from '@temporalio/client'
import type { QueryDefinition } from '@temporalio/common'

/** A worker answers in milliseconds; without one the engine lets the query wait. */
const answerWithinMs = 2_000

/** Rejects if the engine or a worker does not answer in time; see `isUnanswered`. */
export const queryWorkflow = (
  client: Client,
  workflowId: string,
  query: QueryDefinition<unknown>,
): Promise<unknown> =>
  client.withDeadline(Date.now() + answerWithinMs, () => client.workflow.getHandle(workflowId).query(query))
