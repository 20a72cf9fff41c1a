/**
 * Measures this worker. Loaded only if the configuration has a section `metrics`: nothing else loads OpenTelemetry's
 * packages.
 */
import { diag, DiagLogLevel } from '@opentelemetry/api'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { type IMetricReader, MeterProvider } from '@opentelemetry/sdk-metrics'
import type { TelemetryOptions } from '@temporalio/worker'
import type { Config, MetricsConfig } from '../../config/config.js'
import { EventReader } from '../../config/events/files.js'
import { log } from '../../host/log.js'
import { measures } from '../../host/measures.js'
import { workflowState } from '../workflowState.js'
import { catalog } from './catalog.js'
import { MetricsEndpoint } from './endpoint.js'
import { EngineLibraryMetrics } from './engineLibrary.js'
import { EventMetrics } from './fromEvents.js'
import { Instruments } from './instruments.js'
import { otlpReader } from './otlp.js'
import { ParkedSessions, parkWords } from './parkedSessions.js'
import { StateMetrics, type StateSources } from './state.js'

/** An answer of the engine that takes longer counts as none. Milliseconds. */
const engineAnswersWithin = 2_000

export interface Metrics {
  /** For the options of the runtime of Temporal's library. */
  readonly telemetry: TelemetryOptions
  /** Begins to measure this host. */
  watch(sources: StateSources): void
  /** Counters of what a new configuration names begin at zero. */
  configured(config: Config): void
  /** Sends what has not been sent, and closes the listener. */
  stop(): Promise<void>
}

/** `hostId` tells the workers of several hosts apart at a collector. */
export async function openMetrics(
  config: MetricsConfig,
  hostId: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Metrics> {
  const { listen, hosts } = config
  diag.setLogger(diagLogger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  const exporter = listen === null ? null : new PrometheusExporter(withoutServer)
  const sent = await otlpReader(env)
  const readers: IMetricReader[] = [exporter, sent].filter((reader) => reader !== null)
  const ours = resourceFromAttributes({ 'service.name': 'outpool', 'service.instance.id': hostId })
  const resource = ours.merge(detectResources({ detectors: [envDetector] }))
  const provider = new MeterProvider({ resource, readers })
  const meter = provider.getMeter('outpool')
  const instruments = new Instruments(meter)
  const library = new EngineLibraryMetrics(meter)
  const endpoint =
    exporter === null || listen === null
      ? null
      : new MetricsEndpoint({ listen, hosts }, async () => {
          library.drain()
          const { resourceMetrics, errors } = await exporter.collect()
          for (const error of errors) log.warn({ err: error }, 'some metrics could not be collected')
          return serializer.serialize(resourceMetrics)
        })
  await endpoint?.open()
  if (readers.length === 0)
    log.warn('metrics are measured and go nowhere: set metrics.listen, or OTEL_EXPORTER_OTLP_ENDPOINT')
  const events = new EventMetrics(instruments)
  let state: StateMetrics | null = null
  return {
    telemetry: { metrics: { buffer: library.buffer } },
    watch: (sources) => {
      state = watchHost(instruments, events, sources)
    },
    configured: (config) => beginAtZero(instruments, events, config),
    stop: async () => {
      for (const measure of Object.values(measures)) measure.subscribe(null)
      library.stop()
      await endpoint?.close()
      await provider
        .shutdown()
        .catch((error: unknown) => log.warn({ err: error }, 'the last metrics could not be sent'))
      state?.stop()
    },
  }
}

function watchHost(instruments: Instruments, events: EventMetrics, sources: StateSources): StateMetrics {
  const { host, client } = sources
  const parked = new ParkedSessions(new EventReader(host.home, { anyOf: parkWords }).next(), (session) =>
    client.withDeadline(Date.now() + engineAnswersWithin, () => workflowState(client, session)),
  )
  const state = new StateMetrics(sources, parked)
  beginAtZero(instruments, events, host.config)
  measures.event.subscribe((event) => {
    events.count(event)
    parked.note(event)
  })
  measures.tmux.subscribe(({ ms, via }) => instruments.record(catalog.tmuxSeconds, ms, { via }))
  measures.probe.subscribe(({ account, isRead }) =>
    instruments.add(catalog.probes, { account, result: isRead ? 'read' : 'failed' }),
  )
  measures.engine.subscribe(({ ms }) => {
    state.isEngineUp = ms !== null
    if (ms !== null) instruments.record(catalog.engineSeconds, ms, {})
  })
  instruments.observeWith((observe) => state.observe(observe))
  return state
}

function beginAtZero(instruments: Instruments, events: EventMetrics, config: Config): void {
  events.beginAtZero(config)
  for (const { name: account } of [...config.pool.accounts, ...config.reserved])
    for (const result of ['read', 'failed']) instruments.add(catalog.probes, { account, result }, 0)
}

/** Our own listener serves what is collected: the exporter's would answer to any name of the host. */
const withoutServer = { preventServerStart: true }
/** Without the scope, which is the same for all. */
const serializer = new PrometheusSerializer(undefined, false, undefined, false, true)

const diagLogger = {
  error: (message: string) => log.error(`metrics: ${message}`),
  warn: (message: string) => log.warn(`metrics: ${message}`),
  info: (message: string) => log.debug(`metrics: ${message}`),
  debug: () => undefined,
  verbose: () => undefined,
}
