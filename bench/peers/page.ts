/** docs/peers.json keeps the newest outcome of each candidate; docs/peers.md is generated from it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { laidOut } from '../../lab/laidOut.js'

const candidateSchema = z.object({
  name: z.string(),
  description: z.string(),
  notFor: z.string(),
  at: z.iso.datetime(),
})
const candidateResultSchema = candidateSchema.extend({
  version: z.string(),
  /** Seconds after the refusal; null: not within the time. */
  noticed: z.number().nullable(),
  runningAgain: z.number().nullable(),
  /** Where it went on. */
  on: z.string().nullable(),
  /** Whether the new process had what was said before the wall. */
  kept: z.boolean().nullable(),
  /** Of one core, in percent, while the session was quiet; null if there was nothing to measure. */
  cpu: z.number().nullable(),
  memory: z.number().nullable(),
  load: z.number(),
})
export type CandidateResult = z.output<typeof candidateResultSchema>

const outcomeSchema = z.union([candidateResultSchema, candidateSchema.extend({ why: z.string() })])
export type Outcome = z.output<typeof outcomeSchema>

const seconds = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} s`

function cellsOf(one: Outcome): string[] {
  const day = one.at.slice(0, 10)
  if ('why' in one) return [one.description, '–', `not taken: ${one.why}`, '–', '–', '–', one.notFor, day]
  const { description, version, noticed, runningAgain, on, kept, cpu, memory, notFor, load } = one
  return [
    description,
    version,
    noticed === null ? '**missed**' : seconds(noticed),
    runningAgain === null ? '**not within the time**' : `${seconds(runningAgain)}, on ${on ?? '?'}`,
    kept === null ? '–' : kept ? 'kept' : '**lost**',
    cpu === null ? '–' : `${cpu.toFixed(2)} %, ${(memory ?? 0).toFixed(0)} MB`,
    notFor,
    `${day}, load ${load.toFixed(1)}`,
  ]
}

export function tableOf(all: readonly Outcome[]): string {
  const head = [
    ...['tool', 'version', 'wall noticed after', 'running again after', 'conversation'],
    ...['CPU of one core, memory, while quiet', 'not built for', 'measured'],
  ]
  const rows = [head, head.map(() => '---'), ...all.map(cellsOf)]
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const [store, page] = [file('../../docs/peers.json'), file('../../docs/peers.md')]

export const readPeers = (): Outcome[] =>
  existsSync(store) ? z.array(outcomeSchema).parse(JSON.parse(readFileSync(store, 'utf8'))) : []

export function publish(fresh: readonly Outcome[], order: readonly string[]): void {
  const kept = readPeers()
  const all = order.flatMap((name) => [...fresh, ...kept].find((one) => one.name === name) ?? [])
  writeFileSync(store, JSON.stringify(all))
  const text = readFileSync(page, 'utf8')
  const marks = /(<!-- peers: begin -->)[\s\S]*?(<!-- peers: end -->)/
  const filled = text.replace(
    marks,
    (_all, begin: string, end: string) => `${begin}\n\n${tableOf(all)}\n\n${end}`,
  )
  writeFileSync(page, laidOut(page, filled))
}
