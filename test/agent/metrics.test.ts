/** The metrics of a real fleet, scraped by a real Prometheus. What they say is what the events say. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { eventKinds, eventSchema, type OutpoolEvent } from '../../config/events/schema.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { hasProgram, namesIn, Prometheus, queriesOf } from '../../lab/prometheus.js'
import { holdersOf } from '../../lab/machine/holders.js'
import { conversationText } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'

const deployed = (name: string): string =>
  fileURLToPath(new URL(`../../deploy/grafana/${name}`, import.meta.url))
const ruleFile = deployed('alerts.yaml')
const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
let url: string

/** Appends the packages that a process of ours has loaded to a file, at its end. */
const listLoaded = `
const { appendFileSync } = require('node:fs')
process.on('exit', () => appendFileSync(process.env.LOADED, Object.keys(require('node:module')._cache).join('\\n') + '\\n'))
`

beforeAll(async () => {
  fleet = await startFleet({
    accounts: ['max-1', 'max-2'],
    reserved: ['medic'],
    config: {
      metrics: { listen: '127.0.0.1:0' },
      services: [{ name: 'bot', run: ['sleep', '1000'] }],
      tasks: [{ name: 'broken', every: '1d', run: ['false'] }],
    },
  })
  for (const name of ['max-1', 'max-2', 'medic'])
    fleet.world.standIn.account(name).windows({
      five_hour: { used: 0.2, resetsAt: hours(4) },
      seven_day: { used: 0.2, resetsAt: hours(90) },
    })
  writeFileSync(join(fleet.dir, 'list-loaded.cjs'), listLoaded)
  fleet.env['LOADED'] = join(fleet.dir, 'loaded')
  fleet.env['NODE_OPTIONS'] = `--require=${join(fleet.dir, 'list-loaded.cjs')}`
  await fleet.up()
  await fleet.untilRead()
  ;[, url = ''] = /metrics at (http:\S+)/.exec(fleet.log()) ?? []
})
afterAll(() => fleet.close())

const scrape = async (): Promise<string> => (await fetch(url)).text()
const succeed = async (...args: string[]): Promise<void> => {
  const { code, stderr } = await fleet.run(...args)
  expect([code, stderr]).toEqual([0, ''])
}

/** The value of one series in the text of a scrape; null if it is not there. */
function valueOf(text: string, series: string): number | null {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? null : Number(line.slice(series.length + 1))
}

async function events(): Promise<OutpoolEvent[]> {
  const { stdout } = await fleet.run('events', '--json')
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => eventSchema.parse(JSON.parse(line)))
}

it('law 10, 14: a session is parked and starts again without help; that, a move and a failed task are counted as the events tell them', async () => {
  await succeed('start', 'zebra', '--cwd', fleet.world.cwd, '--account', 'max-1', '--', 'Hello.')
  await fleet.untilSession('zebra', ({ phase, account }) => phase === 'idle' && account === 'max-1')
  const reset = new Date(Date.now() + 40_000)
  fleet.world.standIn.account('max-1').wall('five_hour', reset)
  await succeed('send', 'zebra', 'Go on.')
  await fleet.untilSession('zebra', ({ phase, account }) => phase === 'idle' && account === 'max-2')
  const later = new Date(Date.now() + 40_000)
  for (const name of ['max-1', 'max-2']) fleet.world.standIn.account(name).wall('five_hour', later)
  await succeed('send', 'zebra', 'Go on again.')
  const parked = await fleet.untilSession('zebra', ({ phase }) => phase === 'parked')
  expect(parked.parkedUntil).not.toBeNull()
  expect(parked.rescueLog.at(-1)).toMatchObject({ cause: 'wall', to: null })
  expect(holdersOf(parked.sessionId)).toEqual([])
  const whileParked = await until(
    'a scrape',
    scrape,
    (text) => valueOf(text, 'outpool_sessions{phase="parked"}') === 1,
  )
  expect(valueOf(whileParked, 'outpool_parked_longest_seconds')).toBeGreaterThan(0)
  expect(valueOf(whileParked, 'outpool_queue_length{queue="pool"}')).toBe(1)
  expect((await fleet.run('run', 'broken')).code).toBe(1)
  const awake = await fleet.untilSession('zebra', ({ phase }) => phase === 'idle')
  expect(awake.rescueLog.at(-1)).toMatchObject({ cause: 'wake', to: awake.account })
  const [turn] = fleet.world.standIn.requests({ kind: 'turn', sessionId: awake.sessionId }).slice(-1)
  expect(conversationText(turn!)).toContain('Go on again.')

  const said = await events()
  const text = await scrape()
  const counted = eventKinds.map((kind) => [kind, valueOf(text, `outpool_events_total{kind="${kind}"}`)])
  expect(Object.fromEntries(counted)).toEqual(
    Object.fromEntries(eventKinds.map((kind) => [kind, said.filter((event) => event.kind === kind).length])),
  )
  for (const cause of ['wall', 'wake'])
    expect([cause, valueOf(text, `outpool_rescues_total{cause="${cause}",result="moved"}`)]).toEqual([
      cause,
      said.filter((event) => event.kind === 'session-moved' && event.cause === cause).length,
    ])
  expect(valueOf(text, 'outpool_rescues_total{cause="wall",result="parked"}')).toBe(1)
  expect(valueOf(text, 'outpool_task_runs_total{task="broken",result="failed"}')).toBe(1)
  expect(valueOf(text, 'outpool_parked_seconds_count')).toBe(1)
  expect(valueOf(text, 'outpool_parked_longest_seconds')).toBe(0)
  expect(valueOf(text, 'outpool_sessions{phase="idle"}')).toBe(1)
  expect(valueOf(text, 'outpool_engine_up')).toBe(1)
  expect(
    valueOf(text, 'outpool_window_used_ratio{account="medic",role="reserved",window="five_hour"}'),
  ).not.toBe(1)
  expect(text).toMatch(/^temporal_request_latency_seconds_bucket\{.*operation="/m)
  expect(text).not.toContain('zebra')
})

/** Alerts are silent while all is well: compared as numbers, they return what they would compare. */
const asNumbers = (rule: string): string => rule.replaceAll(/ (==|>|<) (?=[\d.])/g, ' $1 bool ')

const dashboard: unknown = JSON.parse(readFileSync(deployed('outpool.json'), 'utf8'))
const shown = queriesOf(dashboard).map((query) =>
  query.replaceAll('$job', '.*').replaceAll('$__rate_interval', '30s'),
)
const alerts = queriesOf(parse(readFileSync(ruleFile, 'utf8'))).map(asNumbers)

it('every metric that dashboard and rules name is in a scrape of this fleet', async () => {
  const names = new Set([...shown, ...alerts].flatMap(namesIn))
  names.delete('up')
  const text = await scrape()
  expect([...names].filter((name) => !new RegExp(`^${name}[{ ]`, 'm').test(text))).toEqual([])
})

it.skipIf(!(await hasProgram('prometheus')))(
  'every query of dashboard and rules returns data (skipped without a program prometheus)',
  async () => {
    const prometheus = await Prometheus.start(join(fleet.dir, 'prometheus'), new URL(url).host, ruleFile)
    try {
      for (const query of [...shown, ...alerts])
        await until(
          query,
          () => prometheus.query(query),
          (series) => series.length > 0,
          60_000,
        )
      const rules = await until(
        'the rules',
        () => prometheus.rules(),
        (all) => all.length === alerts.length && all.every(({ health }) => health !== 'unknown'),
      )
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    } finally {
      await prometheus.stop()
    }
  },
)

/** The sockets on which a process listens, as Linux shows them. */
function listeningSockets(pid: number): string[] {
  const open = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
      } catch {
        return []
      }
    }),
  )
  const rows = ['tcp', 'tcp6'].flatMap((file) => readFileSync(`/proc/${pid}/net/${file}`, 'utf8').split('\n'))
  const listening = '0A'
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode = '']) => state === listening && open.has(`socket:[${inode}]`))
    .map(([, address = '']) => address)
}

it.skipIf(process.platform !== 'linux')(
  'off means off: no listener, and no package of OpenTelemetry is loaded (Linux)',
  async () => {
    const loaded = (): string[] =>
      readFileSync(fleet.env['LOADED']!, 'utf8')
        .split('\n')
        .filter((path) => path.includes('@opentelemetry/'))
    expect(listeningSockets(fleet.workerPid()!)).toHaveLength(1)
    await fleet.down()
    expect(loaded()).not.toEqual([])
    writeFileSync(fleet.env['LOADED']!, '')
    const file = join(fleet.dir, 'outpool.yaml')
    writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), metrics: null }))
    await fleet.up()
    expect(listeningSockets(fleet.workerPid()!)).toEqual([])
    await fleet.down()
    expect(readFileSync(fleet.env['LOADED']!, 'utf8')).toContain('@temporalio/core-bridge')
    expect(loaded()).toEqual([])
  },
)
