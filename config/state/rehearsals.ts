/** What the rehearsals of agent programs have found, one file for each version under OUTPOOL_HOME. */
import { join } from 'node:path'
import { z } from 'zod'
import type { Home } from './home.js'
import { readJson } from './readJson.js'
import { ownFolder } from './ownFile.js'
import { replaceFile } from './replaceFile.js'

/** `unchecked`: something before it failed, so that it is not known. */
const outcomeSchema = z.enum(['held', 'broken', 'unchecked'])
export type Outcome = z.output<typeof outcomeSchema>

const resultSchema = z.object({
  name: z.string(),
  statement: z.string(),
  consequence: z.string(),
  isEssential: z.boolean(),
  outcome: outcomeSchema,
  /** What was seen instead, on one line; null if it held. */
  why: z.string().nullable(),
})
export type RehearsalResult = z.output<typeof resultSchema>

const verdictSchema = z.object({
  agent: z.string(),
  version: z.string(),
  /** The file of the program. */
  program: z.string(),
  /** The version of Outpool, which has its own list of expectations. */
  outpool: z.string(),
  at: z.iso.datetime(),
  seconds: z.number(),
  results: z.array(resultSchema),
})
export type Verdict = z.output<typeof verdictSchema>

/** A version is an outside string: only what a file name can hold. */
const fileOf = ({ rehearsals }: Home, agent: string, version: string): string =>
  join(rehearsals, `${agent}-${version.replaceAll(/[^\w.+-]/g, '_').slice(0, 60)}.json`)

/** Null if this version was never rehearsed. */
export const readVerdict = (home: Home, agent: string, version: string): Verdict | null =>
  readJson(fileOf(home, agent, version), verdictSchema)

export function writeVerdict(home: Home, verdict: Verdict): void {
  ownFolder(home.rehearsals)
  replaceFile(fileOf(home, verdict.agent, verdict.version), JSON.stringify(verdict, null, 2))
}

/** Those that did not hold, or are not known to. */
export const shortfalls = ({ results }: Pick<Verdict, 'results'>): RehearsalResult[] =>
  results.filter(({ outcome }) => outcome !== 'held')
