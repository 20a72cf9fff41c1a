/**
 * Measures product and floor alternately in the same run, so that a machine whose speed drifts does not
 * distort the comparison.
 */
import { execFileSync } from 'node:child_process'
import { arch, cpus, loadavg, platform } from 'node:os'
import { agentProgram } from '../lab/standin/cleanEnv.js'

/**
 * At most this many times the floor (median of the pairs' ratios), this much over it (of the medians), or
 * this much, whatever the floor (the worst of the runs). In the unit of the row.
 */
type Goal = { ratio: number } | { over: number } | { atMost: number }

export type Unit = 'ms' | 's' | '%' | 'MB' | 'KB' | 'count'

/**
 * One figure: the measurements of each run, with the floor of the same run if there is one to compare with.
 */
export interface Row {
  description: string
  unit: Unit
  product: number[]
  /** As many as `product`, or none. */
  floor: number[]
  goal: Goal | null
  /** Median of the pairs' ratios, for figures whose pairs were not kept; otherwise it is computed. */
  ratio?: number
}

/** For a chart: how many (y) at what time or size (x). */
export interface Curve {
  name: string
  points: [x: number, y: number][]
}

export interface Chart {
  /** Of its file: `docs/pictures/bench-<name>.svg`. */
  name: string
  title: string
  x: string
  y: string
  curves: Curve[]
}

export interface Result {
  /** How many sessions it used; absent if that does not apply. */
  sessions?: number
  /** The number of sessions that the design's targets name. */
  aims?: number
  rows: Row[]
  /** Further facts, by name. */
  facts?: Record<string, string>
  chart?: Chart
}

export interface Options {
  /** How often product and floor are measured. */
  runs: number
  /** How many sessions a measure of a fleet uses; null: the number that the design's targets name. */
  sessions: number | null
}

export interface Measure {
  name: string
  /** What it measures, in a few words. */
  description: string
  /** The default for `runs`. */
  runs: number
  run: (options: Options) => Promise<Result>
}

/** A measure's result with where and when it was measured. */
export interface Measured extends Omit<Result, 'sessions'> {
  /** Null if that does not apply. */
  sessions: number | null
  /** Of the code that was measured, with a + if it had been changed since. */
  commit: string
  name: string
  description: string
  machine: string
  /** ISO 8601. */
  at: string
  /** Of the machine over the last minute, when the measure began: the load of other programs. */
  load: number
}

export async function runMeasure(measure: Measure, options: Options): Promise<Measured> {
  const { name, description } = measure
  const load = loadavg()[0] ?? Number.NaN
  const at = new Date().toISOString()
  const { sessions = null, ...result } = await measure.run(options)
  return { name, description, machine: machine(), commit: commit(), at, load, sessions, ...result }
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Between the two nearest values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return low + (high - low) * (at - Math.floor(at))
}

/** Runs floor and product alternately. */
export async function runAlternating(
  runs: number,
  floor: () => Promise<number>,
  product: () => Promise<number>,
): Promise<Pick<Row, 'product' | 'floor'>> {
  const values: Pick<Row, 'product' | 'floor'> = { product: [], floor: [] }
  for (let run = 0; run < runs; run++) {
    values.floor.push(await floor())
    values.product.push(await product())
  }
  return values
}

/** How long it takes, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

/** What is compared with the goal; null if the row has none. */
export function toRatio({ product, floor, goal, ratio }: Row): { value: number; limit: number } | null {
  if (goal === null) return null
  if ('ratio' in goal) {
    const pairs = product.map((one, run) => one / (floor[run] ?? Number.NaN))
    return { value: ratio ?? median(pairs), limit: goal.ratio }
  }
  if ('over' in goal) return { value: median(product) - median(floor), limit: goal.over }
  return { value: Math.max(...product), limit: goal.atMost }
}

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()
  // Writing results changes only the docs, not the measured code.
  const isChanged = git('status', '--porcelain', '--untracked-files=no', '--', ':!docs', ':!README.md') !== ''
  return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`
}

function machine(): string {
  const tmux = execFileSync('tmux', ['-V'], { encoding: 'utf8' }).trim()
  const agent = execFileSync(agentProgram, ['--version'], { encoding: 'utf8' }).trim()
  return `${cpus().length} cores, ${platform()} ${arch()}, Node ${process.versions.node}, ${tmux}, ${agent}`
}
