/** A real Prometheus that scrapes a worker, and what is read from queries in its language. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import type { Metric } from '../worker/metrics/catalog.js'
import { until } from './until.js'
import { hasDebianProgram } from './machine/debianProgram.js'
import { freePort } from './machine/freePort.js'

/** Whether this machine has Prometheus, or another program of its package. */
export const hasProgram = (name: 'prometheus' | 'promtool'): Promise<boolean> =>
  hasDebianProgram(`/usr/bin/${name}`, 'prometheus')

/** The names under which a scrape shows a metric. */
export const sampleNames = ({ kind, name }: Metric): string[] =>
  kind === 'histogram' ? ['bucket', 'count', 'sum'].map((part) => `${name}_${part}`) : [name]

/** Every query of a dashboard of Grafana, or of a file of alert rules. */
export function queriesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(queriesOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'expr' && typeof inner === 'string' ? [inner] : queriesOf(inner),
  )
}

/** Every metric that a query names. */
export const namesIn = (query: string): string[] =>
  query.replaceAll(/"[^"]*"/g, '').match(/\b(?:outpool|temporal)_\w+|\bup\b(?=\{)/g) ?? []

const answerSchema = z.object({ status: z.literal('success'), data: z.unknown() })
const resultSchema = z.object({ result: z.array(z.unknown()) })
const seriesSchema = z.object({
  metric: z.record(z.string(), z.string()),
  /** Seconds since the epoch, and a number as text. */
  values: z.array(z.tuple([z.number(), z.string()])),
})
const rangeSchema = z.object({ result: z.array(seriesSchema) })

/** The values of one series over time; `at` in ms since the epoch. */
export interface Series {
  labels: Record<string, string>
  points: { at: number; value: number }[]
}
const rulesSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) })),
})

export class Prometheus {
  readonly #url: string
  readonly #child: ChildProcess

  private constructor(url: string, child: ChildProcess) {
    this.#url = url
    this.#child = child
  }

  /** Scrapes `target` (host and port) every second under the job `outpool`. Its files are in `dir`. */
  static async start(dir: string, target: string, ruleFile: string): Promise<Prometheus> {
    mkdirSync(dir, { recursive: true })
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [ruleFile],
      scrape_configs: [{ job_name: 'outpool', static_configs: [{ targets: [target] }] }],
    }
    writeFileSync(join(dir, 'prometheus.yml'), stringify(config))
    const address = `127.0.0.1:${await freePort()}`
    const args = [
      ...[`--config.file=${join(dir, 'prometheus.yml')}`, `--storage.tsdb.path=${join(dir, 'data')}`],
      `--web.listen-address=${address}`,
    ]
    const prometheus = new Prometheus(`http://${address}`, spawn('prometheus', args, { stdio: 'ignore' }))
    await until(
      'Prometheus',
      () => fetch(`http://${address}/-/ready`),
      ({ ok }) => ok,
    )
    return prometheus
  }

  /** The series that the query returns now. Throws if Prometheus does not understand it. */
  async query(query: string): Promise<unknown[]> {
    return resultSchema.parse(await this.#get(`query?query=${encodeURIComponent(query)}`)).result
  }

  /** What the query returned between two instants (ms since the epoch), every second. */
  async queryRange(query: string, from: number, to: number): Promise<Series[]> {
    const span = `start=${from / 1_000}&end=${to / 1_000}&step=1`
    const data = await this.#get(`query_range?query=${encodeURIComponent(query)}&${span}`)
    return rangeSchema.parse(data).result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([at, value]) => ({ at: at * 1_000, value: Number(value) })),
    }))
  }

  /** Alert rules with the health of their last evaluation. */
  async rules(): Promise<{ name: string; health: string }[]> {
    return rulesSchema.parse(await this.#get('rules')).groups.flatMap(({ rules }) => rules)
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill()
    await ended
  }

  async #get(path: string): Promise<unknown> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`Prometheus refuses ${decodeURIComponent(path)}: ${text}`)
    return answerSchema.parse(JSON.parse(text)).data
  }
}
