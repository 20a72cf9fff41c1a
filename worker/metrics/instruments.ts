/** OpenTelemetry's instruments for the metrics of the catalog; the compiler checks that each gets its labels. */
import type { Counter, Histogram, Meter } from '@opentelemetry/api'
import { type Metric, metrics } from './catalog.js'

type LabelsOf<M extends Metric> = Record<M['labels'][number], string>
export type Observe = <M extends Metric<'gauge'>>(of: M, value: number, labels: LabelsOf<M>) => void

export class Instruments {
  readonly #meter: Meter
  readonly #counters = new Map<string, Counter>()
  readonly #histograms = new Map<string, Histogram>()

  constructor(meter: Meter) {
    this.#meter = meter
    for (const { kind, name, meaning: description, unit, buckets } of metrics) {
      if (kind === 'counter') this.#counters.set(name, meter.createCounter(name, { description, unit }))
      if (kind === 'histogram') {
        const advice = { explicitBucketBoundaries: [...buckets] }
        this.#histograms.set(name, meter.createHistogram(name, { description, unit, advice }))
      }
    }
  }

  /** An addition of 0 makes the counter known to a scraper before it counts, so that its first count is seen as an increase. */
  add<M extends Metric<'counter'>>({ name }: M, labels: LabelsOf<M>, by = 1): void {
    this.#counters.get(name)?.add(by, labels)
  }

  /** `ms` is in milliseconds; the metric is in seconds. */
  record<M extends Metric<'histogram'>>({ name }: M, ms: number, labels: LabelsOf<M>): void {
    this.#histograms.get(name)?.record(ms / 1_000, labels)
  }

  /** `observe` is called at each collection, to give all gauges their values. */
  observeWith(observe: (observe: Observe) => Promise<void>): void {
    const gauges = new Map(
      metrics
        .filter(({ kind }) => kind === 'gauge')
        .map(({ name, meaning: description, unit }) => [
          name,
          this.#meter.createObservableGauge(name, { description, unit }),
        ]),
    )
    this.#meter.addBatchObservableCallback(
      async (result) => {
        await observe(({ name }, value, labels) => {
          const gauge = gauges.get(name)
          if (gauge !== undefined) result.observe(gauge, value, labels)
        })
      },
      [...gauges.values()],
    )
  }
}

/** Names that come from outside are labels only up to a number; the others are counted together. */
export class BoundedNames {
  static readonly most = 20
  readonly #known = new Set<string>()

  of(name: string): string {
    if (this.#known.size < BoundedNames.most) this.#known.add(name)
    return this.#known.has(name) ? name : 'other'
  }
}
