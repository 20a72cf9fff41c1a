/** What the rehearsals of agent programs have found, one file for each version under OUTPOOL_HOME. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { features, featuresOff } from '../../policy/features.js'
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
  /** What is switched off while it is broken, or null. */
  feature: z.enum(features).nullable(),
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

const prefixOf = (agent: string): string => `${agent}-`

/** A version is an outside string: only what a file name can hold. */
const fileOf = ({ rehearsals }: Home, agent: string, version: string): string =>
  join(rehearsals, `${prefixOf(agent)}${version.replaceAll(/[^\w.+-]/g, '_').slice(0, 60)}.json`)

/** Null if this version was never rehearsed. */
export const readVerdict = (home: Home, agent: string, version: string): Verdict | null =>
  readJson(fileOf(home, agent, version), verdictSchema)

/** Whether the verdict on any version of the program switches something off. */
export function hasBrokenVerdict({ rehearsals }: Home, agent: string): boolean {
  const names = readdirIfThere(rehearsals).filter((name) => name.startsWith(prefixOf(agent)))
  return names.some((name) => {
    const verdict = readJson(join(rehearsals, name), verdictSchema)
    return verdict?.agent === agent && featuresOff(verdict.results).length > 0
  })
}

/** Changes when a rehearsal has left a verdict, in ms since the epoch; null if there is none. */
export const lastRehearsedAt = ({ rehearsals }: Home): number | null =>
  statSync(rehearsals, { throwIfNoEntry: false })?.mtimeMs ?? null

function readdirIfThere(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

export function writeVerdict(home: Home, verdict: Verdict): void {
  ownFolder(home.rehearsals)
  replaceFile(fileOf(home, verdict.agent, verdict.version), JSON.stringify(verdict, null, 2))
}

/** Those that did not hold, or are not known to. */
export const shortfalls = ({ results }: Pick<Verdict, 'results'>): RehearsalResult[] =>
  results.filter(({ outcome }) => outcome !== 'held')
