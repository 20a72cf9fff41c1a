/** The metrics that Temporal's library takes of this worker, among our own: it hands them over in a buffer. */
import type { Counter, Gauge, Histogram, Meter, UpDownCounter } from '@opentelemetry/api'
import { type BufferedMetricUpdate, MetricsBuffer } from '@temporalio/worker'
import { log } from '../../host/log.js'

/** The library logs an error when the buffer is full. Hundreds of sessions that move at once make some thousand updates a second. */
const bufferSize = 100_000
/** Milliseconds. */
const drainEvery = 1_000
/** Seconds; the library's own buckets are in milliseconds. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600]

type Metric = BufferedMetricUpdate['metric']
type Instrument = (value: number, tags: BufferedMetricUpdate['attributes']) => void

export class EngineLibraryMetrics {
  /** For the options of the library's runtime. */
  readonly buffer = new MetricsBuffer({ maxBufferSize: bufferSize, useSecondsForDurations: true })
  readonly #meter: Meter
  readonly #instruments = new Map<string, Instrument>()
  readonly #timer: NodeJS.Timeout

  constructor(meter: Meter) {
    this.#meter = meter
    this.#timer = setInterval(() => this.drain(), drainEvery).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.drain()
  }

  /** Takes over what has been measured since the last time. */
  drain(): void {
    try {
      for (const { metric, value, attributes } of this.buffer.retrieveUpdates())
        this.#instrument(metric)(value, attributes)
    } catch (error) {
      log.error({ err: error }, "metrics of Temporal's library could not be read")
    }
  }

  #instrument(metric: Metric): Instrument {
    const known = this.#instruments.get(metric.name)
    if (known) return known
    const made = this.#make(metric)
    this.#instruments.set(metric.name, made)
    return made
  }

  #make({ name, kind, description = '', unit = '' }: Metric): Instrument {
    switch (kind) {
      case 'counter':
        return adding(this.#meter.createCounter(`${name}_total`, { description }))
      case 'up-down-counter':
        return adding(this.#meter.createUpDownCounter(name, { description }))
      case 'gauge':
        return recording(this.#meter.createGauge(name, { description }))
      case 'histogram': {
        const isDuration = /^(s|seconds|duration)$/.test(unit)
        return recording(
          this.#meter.createHistogram(isDuration ? `${name}_seconds` : name, {
            ...{ description, unit: isDuration ? 's' : '' },
            ...(isDuration ? { advice: { explicitBucketBoundaries: buckets } } : {}),
          }),
        )
      }
    }
  }
}

const adding =
  (to: Counter | UpDownCounter): Instrument =>
  (value, tags) =>
    to.add(value, tags)
const recording =
  (to: Histogram | Gauge): Instrument =>
  (value, tags) =>
    to.record(value, tags)
