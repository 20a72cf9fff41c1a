/** The state of the pool, from the pool workflow's `describe` query. */
import { QueryNotRegisteredError, WorkflowNotFoundError } from '@temporalio/client'
import type { QueryDefinition } from '@temporalio/common'
import { poolWorkflowId } from '../../policy/ids.js'
import type { PoolView } from '../../policy/pool/lease.js'
import { type PoolDescription, poolSchema } from '../fleet/pool.js'
import { isUnanswered } from './grpc.js'
import { queryWorkflow } from './query.js'
import type { EngineCalls } from './sessions.js'

/** Null if the pool was never set up, or if no worker answers for it. */
export async function readPool(
  { client }: EngineCalls,
  pool: string,
  describe: QueryDefinition<PoolView>,
): Promise<PoolDescription | null> {
  try {
    return poolSchema.parse(await queryWorkflow(client, poolWorkflowId(pool), describe))
  } catch (error) {
    if (
      error instanceof WorkflowNotFoundError ||
      error instanceof QueryNotRegisteredError ||
      isUnanswered(error)
    )
      return null
    throw error
  }
}
