/** The record of what an account used over time, as stored in `quota/<account>.usage.json`. */
import { join } from 'node:path'
import { z } from 'zod'
import { recordedHours, type UsageRecord } from '../../policy/forecast/usageRecord.js'
import type { Home } from './home.js'
import { readJson } from './readJson.js'

const perHour = z.array(z.number()).max(recordedHours)
/** More windows than any agent has. */
const windowsMax = 32
const byWindow = <S extends z.ZodType>(schema: S) =>
  z.record(z.string().max(100), schema).refine((windows) => Object.keys(windows).length <= windowsMax)

const usageSchema = z
  .object({
    account: z.string(),
    recent: byWindow(z.array(z.tuple([z.number(), z.number(), z.number()])).max(100)),
    firstHour: z.number().int(),
    sessions: perHour,
    burned: byWindow(perHour),
    current: z.object({ hour: z.number().int(), samples: z.number(), sessions: z.number() }),
  })
  // The lists begin at the same hour: of different lengths, they would be read as other hours than they are.
  .refine(({ sessions, burned }) => Object.values(burned).every((list) => list.length === sessions.length))

export const usageFile = (home: Home, account: string): string => join(home.quota, `${account}.usage.json`)

/** Null if nothing was recorded, or if the file cannot be read: then the record begins again. */
export const readUsage = (home: Home, account: string): UsageRecord | null =>
  readJson(usageFile(home, account), usageSchema)
