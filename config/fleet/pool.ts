/** What the pool's workflow says of the pool, as the command and the worker read it. */
import { z } from 'zod'
import { pageSchema, quotaSchema } from '../state/liveFile.js'

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

export const poolSchema = z.object({
  name: z.string(),
  moveAt: z.number(),
  accounts: z.array(factsSchema),
  waitlist: z.array(
    z.object({ session: z.string(), since: z.string(), why: z.string(), retryAt: z.string().nullable() }),
  ),
  simulatedWalls: z.array(z.object({ session: z.string(), until: z.string() })).default([]),
})
export type PoolDescription = z.output<typeof poolSchema>
