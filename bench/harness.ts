/** Measuring product and floor in turn, in the same run, so that a machine whose speed drifts does not decide. */
import { execFileSync } from 'node:child_process'
import { arch, cpus, loadavg, platform } from 'node:os'
import { agentProgram } from '../lab/standin/cleanEnv.js'

/**
 * At most so many times the floor (median of the pairs' ratios), so much over it (of the medians), or so much, whatever
 * the floor (the worst of the runs). In the unit of the row.
 */
type Goal = { ratio: number } | { over: number } | { atMost: number }

export type Unit = 'ms' | 's' | '%' | 'MB' | 'KB' | 'count'

/** One figure: what was measured in each run, and its floor of the same run where there is one to compare with. */
export interface Row {
  says: string
  unit: Unit
  product: number[]
  /** As many as `product`, or none. */
  floor: number[]
  goal: Goal | null
  /** Median of the pairs' ratios, of figures whose pairs were not kept; else it is computed. */
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
  /** How many sessions it took; not there where that is no question. */
  sessions?: number
  /** How many the numbers of the design speak of. */
  aims?: number
  rows: Row[]
  /** Further facts, by name. */
  facts?: Record<string, string>
  chart?: Chart
}

export interface Options {
  /** How often product and floor are measured. */
  runs: number
  /** How many sessions a measure of a fleet takes; null: as many as the numbers of the design speak of. */
  sessions: number | null
}

export interface Measure {
  name: string
  /** What it is about, in a few words. */
  says: string
  /** Unless asked for otherwise. */
  runs: number
  run: (options: Options) => Promise<Result>
}

/** A measure's result with where and when it was taken. */
export interface Measured extends Omit<Result, 'sessions'> {
  /** Null where that is no question. */
  sessions: number | null
  /** Of the code that was measured; with a + where it had been changed since. */
  commit: string
  name: string
  says: string
  machine: string
  /** ISO 8601. */
  at: string
  /** Of the machine over the last minute, when the measure began: what others were doing. */
  load: number
}

export async function runMeasure(measure: Measure, options: Options): Promise<Measured> {
  const { name, says } = measure
  const load = loadavg()[0] ?? Number.NaN
  const at = new Date().toISOString()
  const { sessions = null, ...result } = await measure.run(options)
  return { name, says, machine: machine(), commit: commit(), at, load, sessions, ...result }
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

/** What is held against the goal; null where the row has none. */
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
  // What is measured and written down changes the docs, and not what is measured.
  const isChanged = git('status', '--porcelain', '--untracked-files=no', '--', ':!docs', ':!README.md') !== ''
  return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`
}

function machine(): string {
  const tmux = execFileSync('tmux', ['-V'], { encoding: 'utf8' }).trim()
  const agent = execFileSync(agentProgram, ['--version'], { encoding: 'utf8' }).trim()
  return `${cpus().length} cores, ${platform()} ${arch()}, Node ${process.versions.node}, ${tmux}, ${agent}`
}
