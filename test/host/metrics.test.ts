/** Metrics without a fleet: what events count for, what the listener answers, what dashboard and rules name, and what is loaded. */
import { readFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import type { Config } from '../../config/config.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import { namesIn, queriesOf, sampleNames } from '../../lab/prometheus.js'
import { catalog, labels, metrics } from '../../worker/metrics/catalog.js'
import { isAddressedToUs, MetricsEndpoint } from '../../worker/metrics/endpoint.js'
import { EventMetrics } from '../../worker/metrics/fromEvents.js'
import { BoundedNames, Instruments } from '../../worker/metrics/instruments.js'
import { otlpReader } from '../../worker/metrics/otlp.js'
import { withTables } from '../../worker/metrics/page.js'
import { ParkedSessions } from '../../worker/metrics/parkedSessions.js'

const at = '2026-11-22T20:00:00.000Z'
const common = { v: 1, id: 'session/docs/run/1', at, host: 'here' } as const
const wall = { kind: 'five_hour', scope: 'account', resetsAt: null, evidence: 'transcript' } as const
const moved: OutpoolEvent = {
  ...{ ...common, kind: 'session-moved', session: 'docs', n: 1, cause: 'wall', from: 'max-1', to: 'max-2' },
  ...{ wall, conversation: 'same', why: 'the most room', ms: 912 },
  steps: [
    { name: 'on max-3', ms: 0, failed: true },
    { name: 'launch', ms: 800, failed: false },
  ],
}
const parked: OutpoolEvent = {
  ...{ ...common, kind: 'session-parked', session: 'docs', from: 'max-1', cause: 'wall', wall },
  ...{ until: null, why: 'max-2 is full' },
}

describe('counted from events', () => {
  /** As a scraper would read it. */
  async function counted(...events: OutpoolEvent[]): Promise<string> {
    const exporter = new PrometheusExporter({ preventServerStart: true })
    const provider = new MeterProvider({ readers: [exporter] })
    const of = new EventMetrics(new Instruments(provider.getMeter('test')))
    of.beginAtZero({ services: [{ name: 'bot' }], tasks: [{ name: 'inbox' }] } as unknown as Config)
    for (const event of events) of.count(event)
    const { resourceMetrics } = await exporter.collect()
    return new PrometheusSerializer('', false, undefined, true, true).serialize(resourceMetrics)
  }

  it('law 14: a rescue counts by cause and result, with its time and the steps that failed', async () => {
    const text = await counted(moved, { ...moved, conversation: 'fork', ms: 31_000 }, parked, {
      ...parked,
      isFailure: true,
    })
    for (const result of ['moved', 'fallback', 'parked', 'failed'])
      expect(text).toContain(`outpool_rescues_total{cause="wall",result="${result}"} 1\n`)
    expect(text).toContain('outpool_rescue_duration_seconds_bucket{cause="wall",le="1"} 1\n')
    expect(text).toContain('outpool_rescue_duration_seconds_bucket{cause="wall",le="30"} 1\n')
    expect(text).toContain('outpool_rescue_duration_seconds_count{cause="wall"} 2\n')
    expect(text).toContain('outpool_rescue_failed_steps_total 2\n')
    expect(text).toContain('outpool_events_total{kind="session-moved"} 2\n')
  })

  it('a park by the breaker is no rescue, and neither is one at the first start', async () => {
    const text = await counted({ ...parked, cause: 'breaker' }, { ...parked, cause: 'start' })
    expect(text).toContain('outpool_breaker_trips_total 1\n')
    expect(text).not.toMatch(/outpool_rescues_total.* [1-9]/)
  })

  it('everything that an alert watches is there as 0 before it happens: an increase from nothing is not seen', async () => {
    const text = await counted()
    expect(text).toContain('outpool_rescues_total{cause="crash",result="failed"} 0\n')
    expect(text).toContain('outpool_escalations_total{service="bot",result="started"} 0\n')
    expect(text).toContain('outpool_task_runs_total{task="inbox",result="failed"} 0\n')
    expect(text).toContain('outpool_breaker_trips_total 0\n')
  })

  it('has bounded labels: names of limits come from outside, and no label is a name of a session', async () => {
    const names = new BoundedNames()
    for (let n = 0; n < BoundedNames.most; n++) expect(names.of(`limit ${n}`)).toBe(`limit ${n}`)
    expect([names.of('limit 0'), names.of('one more')]).toEqual(['limit 0', 'other'])
    expect(Object.keys(labels)).not.toContain('session')
    expect(await counted(moved, parked)).not.toContain('docs')
  })
})

describe('the longest park', () => {
  const now = Date.parse(at) + 60_000
  const isThere = () => Promise.resolve('running' as const)

  it('is that of the first session that is still parked, also after a restart of the worker', async () => {
    const later: OutpoolEvent = { ...parked, session: 'late', at: '2026-11-22T20:00:30.000Z' }
    const sessions = new ParkedSessions([parked, later], isThere)
    expect(await sessions.longest(now)).toBe(60_000)
    sessions.note({ ...common, kind: 'session-woken', session: 'docs', to: 'max-1', parkedMs: 5 })
    expect(await sessions.longest(now)).toBe(30_000)
    sessions.note({ ...common, kind: 'session-stopped', session: 'late', why: 'its person' })
    expect(await sessions.longest(now)).toBe(0)
  })

  it('ignores a session that was ended in the engine, which leaves no event', async () => {
    const sessions = new ParkedSessions([parked], () => Promise.resolve('over'))
    expect(await sessions.longest(now)).toBe(0)
  })
})

describe('law 15: the listener', () => {
  const config = { listen: { host: '127.0.0.1', port: 0 }, hosts: ['Fleet-1.lan'] }
  let endpoint: MetricsEndpoint | null = null
  afterEach(async () => {
    await endpoint?.close()
    endpoint = null
  })

  it.each([
    ['127.0.0.1:9464', true],
    ['192.168.1.7:9464', true],
    ['[::1]:9464', true],
    ['localhost', true],
    ['fleet-1.lan:9464', true],
    ['evil.example:9464', false],
    ['127.0.0.1.evil.example', false],
    ['localhost.evil.example:9464', false],
    ['[evil]:9464', false],
    ['', false],
    [undefined, false],
  ])('law 15: addressed as %s: %s', (host, isOurs) => {
    expect(isAddressedToUs(host, config)).toBe(isOurs)
  })

  const ask = (url: string, path: string, host: string, method = 'GET'): Promise<number | undefined> =>
    new Promise((resolve, reject) =>
      get(new URL(path, url), { headers: { host }, method }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      }).on('error', reject),
    )

  it('law 15: answers one path, to reads only, and only if addressed by one of its names', async () => {
    endpoint = new MetricsEndpoint(config, () => Promise.resolve('outpool_engine_up 1\n'))
    const url = (await endpoint.open())!
    expect(new URL(url).hostname).toBe('127.0.0.1')
    expect(await ask(url, '/metrics', 'localhost')).toBe(200)
    expect(await ask(url, '/metrics', 'evil.example')).toBe(403)
    expect(await ask(url, '/', 'localhost')).toBe(404)
    expect(await ask(url, '/metrics', 'localhost', 'POST')).toBe(405)
  })

  it('a taken port stops nothing', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    endpoint = new MetricsEndpoint({ ...config, listen: { host: '127.0.0.1', port } }, () =>
      Promise.resolve(''),
    )
    expect(await endpoint.open()).toBeNull()
    await new Promise((resolve) => other.close(resolve))
  })
})

describe('OTLP by the standard variables', () => {
  const named = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }

  it.each([
    ['no collector', {}, false],
    ['an empty variable', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
    ['a collector', named, true],
    ['turned off', { ...named, OTEL_METRICS_EXPORTER: 'none' }, false],
    ['the SDK turned off', { ...named, OTEL_SDK_DISABLED: 'true' }, false],
    ['a protocol that we do not speak', { ...named, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, false],
  ])('%s', async (_what, env, isSent) => {
    const reader = await otlpReader(env)
    expect(reader !== null).toBe(isSent)
    await reader?.shutdown()
  })

  it('what has not been sent is sent at the end', async () => {
    const received: { path: string | undefined; body: string }[] = []
    const collector = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        received.push({ path: request.url, body: Buffer.concat(chunks).toString('latin1') })
        response.end()
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const { port } = collector.address() as AddressInfo
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${port}`)
    try {
      const reader = (await otlpReader(process.env))!
      const provider = new MeterProvider({ readers: [reader] })
      new Instruments(provider.getMeter('test')).add(catalog.breaker, {})
      await provider.shutdown()
      expect(received.map(({ path }) => path)).toEqual(['/v1/metrics'])
      expect(received[0]!.body).toContain('outpool_breaker_trips_total')
    } finally {
      vi.unstubAllEnvs()
      collector.closeAllConnections()
      await new Promise((resolve) => collector.close(resolve))
    }
  })
})

describe('what is written beside the code', () => {
  const known = new Set([...metrics.flatMap(sampleNames), 'up'])
  const dashboard: unknown = JSON.parse(readFileSync('deploy/grafana/outpool.json', 'utf8'))
  const rules: unknown = parse(readFileSync('deploy/grafana/alerts.yaml', 'utf8'))

  it('the tables of the guide are up to date (npx tsx worker/metrics/writePage.ts)', () => {
    const page = readFileSync('docs/metrics.md', 'utf8')
    expect(page).toBe(withTables(page))
    for (const { name } of metrics) expect(page).toContain(`| \`${name}\``)
  })

  it('dashboard and rules name only metrics that exist, and show nearly all of them', () => {
    const named = new Set([...queriesOf(dashboard), ...queriesOf(rules)].flatMap(namesIn))
    expect([...named].filter((name) => !known.has(name) && !name.startsWith('temporal_'))).toEqual([])
    const shown = metrics.filter((metric) => sampleNames(metric).some((name) => named.has(name)))
    const missing = metrics.filter((metric) => !shown.includes(metric)).map(({ name }) => name)
    // They are for questions that a person asks rarely.
    expect(missing).toEqual([
      'outpool_task_duration_seconds',
      'outpool_drills_total',
      'outpool_engine_outages_total',
    ])
  })
})
