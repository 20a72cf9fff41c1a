/** What the pool's workflow answers. */
import { WorkflowUpdateFailedError } from '@temporalio/client'
import { z } from 'zod'
import { isUnanswered } from '../../config/engine/grpc.js'
import { readPool } from '../../config/engine/pool.js'
import type { PoolDescription } from '../../config/fleet/pool.js'
import { wallSchema } from '../../config/state/liveFile.js'
import { poolWorkflowId } from '../../policy/ids.js'
import { type EligibilityQuery, poolQueries, poolUpdates } from '../../workflows/messages.js'
import type { Engine } from './engine.js'

/** Null if the pool was never set up, or if no worker answers for it. */
export const queryPool = (engine: Engine, pool: string): Promise<PoolDescription | null> =>
  readPool(engine, pool, poolQueries.describe)

const blockersSchema = z.array(
  z.object({
    account: z.string(),
    cause: z.string().nullable(),
    why: z.string().nullable(),
    wall: wallSchema.nullable(),
  }),
)
export type Blockers = z.output<typeof blockersSchema>

/** The pool first probes accounts whose readings are old, which takes as long as the slowest probe. */
const queryWithinMs = 60_000

/** For each account, what keeps it from taking a session now; null if there is no pool, or no worker answers for it. */
export async function queryBlockers(
  engine: Engine,
  pool: string,
  question: EligibilityQuery,
): Promise<Blockers | null> {
  if ((await queryPool(engine, pool)) === null) return null
  try {
    const answer: unknown = await engine.within(queryWithinMs, () =>
      engine.client.workflow
        .getHandle(poolWorkflowId(pool))
        .executeUpdate(poolUpdates.checkEligibility, { args: [question] }),
    )
    return blockersSchema.parse(answer)
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError || isUnanswered(error)) return null
    throw error
  }
}
