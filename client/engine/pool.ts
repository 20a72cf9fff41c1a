/** The state of the pool, from the pool workflow's `describe` query. */
import { QueryNotRegisteredError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client'
import { z } from 'zod'
import { poolWorkflowId } from '../../policy/ids.js'
import { type EligibilityQuery, poolQueries, poolUpdates } from '../../workflows/messages.js'
import { pageSchema, quotaSchema, wallSchema } from '../../config/state/liveFile.js'
import { type Engine, isUnanswered } from './engine.js'

const factsSchema = quotaSchema.omit({ account: true }).extend({
  name: z.string(),
  role: z.enum(['pool', 'reserved', 'substrate']),
  ceiling: z.number(),
  maxSessions: z.number().nullable(),
  drain: z.boolean().default(false),
  leases: z.array(z.string()),
  trial: z.object({ session: z.string(), since: z.string() }).nullable(),
  restUntil: z.string().nullable(),
  pages: z.array(z.object({ host: z.string(), at: z.string(), open: z.array(pageSchema) })).default([]),
})

const poolViewSchema = z.object({
  name: z.string(),
  moveAt: z.number(),
  accounts: z.array(factsSchema),
  waitlist: z.array(
    z.object({ session: z.string(), since: z.string(), why: z.string(), retryAt: z.string().nullable() }),
  ),
  simulatedWalls: z.array(z.object({ session: z.string(), until: z.string() })).default([]),
})
export type PoolDescription = z.output<typeof poolViewSchema>

/** A worker answers in milliseconds; without one the engine lets the query wait. */
const answerWithinMs = 2_000

/** Null if the pool was never set up, or if no worker answers for it. */
export async function queryPool(engine: Engine, pool: string): Promise<PoolDescription | null> {
  try {
    const answer: unknown = await engine.within(answerWithinMs, () =>
      engine.client.workflow.getHandle(poolWorkflowId(pool)).query(poolQueries.describe),
    )
    return poolViewSchema.parse(answer)
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
