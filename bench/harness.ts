/** Measuring product and floor in turn, in the same run, so that a machine whose speed drifts does not decide. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform } from 'node:os'
import { agentProgram } from '../test/standin/cleanEnv.js'

/** At most so many times the floor (median of the pairs' ratios), or so many milliseconds over it (of the medians). */
export type Goal = { ratio: number } | { overMs: number }

export interface Measure {
  name: string
  /** What is timed, and against which floor. */
  says: string
  goal: Goal
  run: (runs: number) => Promise<Result>
}

export interface Result {
  /** Milliseconds, one entry for each pair. */
  product: number[]
  floor: number[]
  /** What was counted besides, with the number that it may reach. */
  counts?: { says: string; value: number; atMost: number }[]
  /** Further facts, by name. */
  facts?: Record<string, string>
}

export interface Measured {
  measure: Measure
  result: Result
  /** Of the machine, when the measure began. */
  load: number
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}

/** Median, least and most. */
export const span = (values: readonly number[]): string =>
  `${shown(median(values))} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`

const shown = (ms: number): string => (ms < 100 ? ms.toFixed(1) : ms.toFixed(0))

/** Runs floor and product alternately. Each answers its own time in milliseconds. */
export async function inTurn(
  runs: number,
  floor: () => Promise<number>,
  product: () => Promise<number>,
): Promise<Pick<Result, 'product' | 'floor'>> {
  const times: Pick<Result, 'product' | 'floor'> = { product: [], floor: [] }
  for (let run = 0; run < runs; run++) {
    times.floor.push(await floor())
    times.product.push(await product())
  }
  return times
}

/** Ratio of pairs: each product against the floor measured just before it. */
export const ratioOf = ({ product, floor }: Result): number =>
  median(product.map((ms, index) => ms / (floor[index] ?? Number.NaN)))

const overOf = ({ product, floor }: Result): number => median(product) - median(floor)

export const isReached = ({ goal }: Measure, result: Result): boolean =>
  'ratio' in goal ? ratioOf(result) <= goal.ratio : overOf(result) <= goal.overMs

export async function take(measure: Measure, runs: number): Promise<Measured> {
  const load = loadavg()[0] ?? Number.NaN
  return { measure, load, result: await measure.run(runs) }
}

export const machine = (): string => {
  const tmux = execFileSync('tmux', ['-V'], { encoding: 'utf8' }).trim()
  const agent = execFileSync(agentProgram, ['--version'], { encoding: 'utf8' }).trim()
  return `${cpus().length} cores, ${platform()} ${arch()}, Node ${process.versions.node}, ${tmux}, ${agent}`
}

const verdict = (isGood: boolean): string => (isGood ? 'reached' : '**missed**')

export function table(all: readonly Measured[]): string {
  const rows = all.flatMap(({ measure, result }) => {
    const { goal, says } = measure
    const compared =
      'ratio' in goal
        ? [`${ratioOf(result).toFixed(2)} ×`, `≤ ${goal.ratio} ×`]
        : [`${shown(overOf(result))} ms over`, `≤ ${goal.overMs} ms over`]
    const reached = verdict(isReached(measure, result))
    const counts = (result.counts ?? []).map(
      ({ says: what, value, atMost }) =>
        `| ${what} | ${value} | – | – | ≤ ${atMost}: ${verdict(value <= atMost)} |`,
    )
    return [
      `| ${says} | ${span(result.product)} ms | ${span(result.floor)} ms | ${compared[0]} | ${compared[1]}: ${reached} |`,
      ...counts,
    ]
  })
  return [
    '| what | product: median (min–max) | floor: median (min–max) | compared | goal |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

/** What was found besides, one line each. */
export function factsOf(all: readonly Measured[]): string {
  const lines = all.flatMap(({ measure, result, load }) => [
    `- ${measure.says.split(';')[0] ?? ''}: ${result.product.length} pairs, begun at a load of ${load.toFixed(1)}`,
    ...Object.entries(result.facts ?? {}).map(([name, fact]) => `  - ${name}: ${fact}`),
  ])
  return lines.join('\n')
}

/** Puts the figures between a file's marks. */
export function writeBetweenMarks(file: URL, content: string): void {
  const text = readFileSync(file, 'utf8')
  const marks = /(<!-- bench: begin[^>]*-->)[\s\S]*?(<!-- bench: end -->)/
  if (!marks.test(text)) throw new Error(`${file.pathname} has no marks for figures`)
  writeFileSync(
    file,
    text.replace(marks, (_all, begin: string, end: string) => `${begin}\n\n${content}\n\n${end}`),
  )
}
