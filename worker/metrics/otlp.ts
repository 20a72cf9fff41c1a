/** Sends metrics to a collector, if OpenTelemetry's own variables name one. */
import type { IMetricReader } from '@opentelemetry/sdk-metrics'
import { z } from 'zod'
import { log } from '../../host/log.js'

const intervalSchema = z.coerce.number().int().positive()
/** The defaults of OpenTelemetry's specification, in milliseconds. */
const defaultInterval = 60_000
const defaultTimeout = 30_000

/**
 * Null if no variable names a collector, or if the variables turn the export off. The exporter itself reads the address, the headers
 * and the certificates from the environment.
 */
export async function otlpReader(env: NodeJS.ProcessEnv): Promise<IMetricReader | null> {
  const endpoint = set(env, 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT') ?? set(env, 'OTEL_EXPORTER_OTLP_ENDPOINT')
  const exporters = (set(env, 'OTEL_METRICS_EXPORTER') ?? 'otlp').split(',').map((name) => name.trim())
  const isOff = set(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || !exporters.includes('otlp')
  if (endpoint === undefined || isOff) return null
  const protocol =
    set(env, 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL') ??
    set(env, 'OTEL_EXPORTER_OTLP_PROTOCOL') ??
    'http/protobuf'
  if (protocol !== 'http/protobuf') {
    log.error(
      `metrics are not sent to ${hostOf(endpoint)}: outpool speaks http/protobuf and not ${protocol}; set OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/protobuf`,
    )
    return null
  }
  const [{ OTLPMetricExporter }, { PeriodicExportingMetricReader }] = await Promise.all([
    import('@opentelemetry/exporter-metrics-otlp-proto'),
    import('@opentelemetry/sdk-metrics'),
  ])
  const exportIntervalMillis = milliseconds(env, 'OTEL_METRIC_EXPORT_INTERVAL', defaultInterval)
  const timeout = milliseconds(env, 'OTEL_METRIC_EXPORT_TIMEOUT', defaultTimeout)
  log.info(`metrics are sent to ${hostOf(endpoint)} every ${exportIntervalMillis / 1_000} s`)
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(timeout, exportIntervalMillis),
  })
}

/** What the log may show of an address, which may hold a password (law 11). */
const hostOf = (endpoint: string): string =>
  URL.canParse(endpoint) ? new URL(endpoint).host : 'the collector'

/** A variable that is empty counts as not set. */
const set = (env: NodeJS.ProcessEnv, name: string): string | undefined => env[name]?.trim() || undefined

function milliseconds(env: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const written = set(env, name)
  if (written === undefined) return otherwise
  const { data } = intervalSchema.safeParse(written)
  if (data === undefined) log.warn(`${name} is ${JSON.stringify(written)} and not a number of milliseconds`)
  return data ?? otherwise
}
