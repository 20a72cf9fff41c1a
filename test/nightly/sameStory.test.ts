/**
 * Law 14: what happened in a night is read in four places (events, the log, `report`, metrics), and each says what the histories in
 * the engine say: nothing is missing, nothing is said twice, and nothing is made up.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Report } from '../../client/report/report.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import { openHome } from '../../config/state/home.js'
import { openHistories, type OpenedHistory, type Recorded } from '../../lab/engine/histories.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'
import { searchAttributes } from '../../policy/ids.js'

/** Ends at once while the file `broken` exists; otherwise it beats. */
const program = `
const { existsSync, writeFileSync } = require('node:fs')
if (existsSync('broken')) process.exit(1)
setInterval(() => writeFileSync('beat', JSON.stringify({ by: 'loop', pid: process.pid, at: new Date().toISOString() })), 100)
`
const repair = { tools: [{ name: 'Bash', input: { command: 'rm broken', description: 'Mend the loop' } }] }
const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
let metrics: string
/** The account on which the session begins, and the one to which it moves: which is which, the pool decides. */
let [first, second] = ['max-1', 'max-2'] as [string, string]

beforeAll(async () => {
  fleet = await startFleet({
    accounts: ['max-1', 'max-2'],
    reserved: ['medic'],
    agentArgs: ['--permission-mode', 'manual', '--allowedTools=Bash'],
    config: {
      metrics: { listen: '127.0.0.1:0' },
      tasks: [{ name: 'broken', every: '1d', run: ['false'] }],
      services: [
        {
          ...{ name: 'loop', run: [process.execPath, 'loop.cjs'], cwd: 'loop', every: '1s' },
          heartbeat: { file: 'loop/beat', staleAfter: '4s' },
          restarts: { limit: 1, within: '10m', backoff: '1s' },
          wakeUp: { prompt: 'Mend the loop.', heartbeatWithin: '10s', retryEvery: '10s' },
        },
      ],
      // A parked session is woken by the probe that finds room, and not by a reset that a slow machine might miss.
      timing: { probeEvery: '10s' },
    },
  })
  for (const name of ['max-1', 'max-2', 'medic'])
    fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  fleet.world.standIn.account('medic').answer(({ turn }) => (turn > 1 ? 'It is mended.' : repair))
  mkdirSync(join(fleet.dir, 'loop'))
  writeFileSync(join(fleet.dir, 'loop', 'loop.cjs'), program)
  writeFileSync(join(fleet.dir, 'loop', 'broken'), '')
  await fleet.up()
  await fleet.untilRead()
  await spendTheNight()
})
afterAll(() => fleet.close())

/** A rescue, a park and its end, a task that fails, and a service that only an agent can mend. */
async function spendTheNight(): Promise<void> {
  const { standIn, cwd } = fleet.world
  const order = async (code: number, ...args: string[]): Promise<void> =>
    expect(await fleet.run(...args)).toMatchObject({ code })
  const untilDocs = (phase: string, account: string | null) =>
    fleet.untilSession('docs', (docs) => docs.phase === phase && (account ?? docs.account) === docs.account)
  await order(0, 'start', 'docs', '--cwd', cwd, '--', 'Hello.')
  const begun = await untilDocs('idle', null)
  if (begun.account === 'max-2') [first, second] = [second, first]
  standIn.account(first).wall('five_hour', hours(3))
  await order(0, 'send', 'docs', 'Go on.')
  await untilDocs('idle', second)
  // Long enough for a slow machine to meet it; a probe looks earlier, after a twelfth of that time.
  standIn.account(second).wall('five_hour', hours(1 / 30))
  await order(0, 'send', 'docs', 'Go on again.')
  await untilDocs('parked', null)
  await order(1, 'run', 'broken')
  standIn.account(second).lift()
  await untilDocs('idle', second)
  await until(
    'the end of the escalation',
    () => openHistories(openHome(fleet.env)),
    (all) => factsOfHistories(all).includes('loop is healed by its escalation'),
  )
  ;[, metrics = ''] = /metrics at (http:\S+)/.exec(fleet.log()) ?? []
}

const moved = (session: string, cause: string, from: string | null, to: string): string =>
  cause === 'wake'
    ? `${session} is woken on ${to}`
    : `${session} is moved from ${from ?? 'nowhere'} to ${to}: ${cause}`
const parked = (session: string, from: string | null): string =>
  `${session} is parked, from ${from ?? 'nowhere'}`
const walled = (account: string): string => `${account} is walled`
const failed = (task: string): string => `task ${task} has failed`
const restarted = (service: string): string => `${service} is restarted`
const escalated = (service: string): string => `${service} is escalated`
const ended = (service: string, result: string): string => `${service} is ${result} by its escalation`

const activities = (recorded: readonly Recorded[], name: string) =>
  recorded.filter((one) => one.kind === 'activity').filter((one) => one.name === name)

/** From the steps that have ended well, and from what the workflows show: events are not looked at. */
function factsOfHistories(histories: readonly OpenedHistory[]): string[] {
  return histories
    .flatMap(({ type, input, recorded, workflowId }) => {
      switch (type) {
        case 'session':
          return factsOfSession(workflowId.replace('session/', ''), recorded)
        case 'loop':
          return recorded.some(({ kind }) => kind === 'failed')
            ? [failed((input as { name: string }).name)]
            : []
        case 'watchdog':
        case 'escalation': {
          const { service } = input as { service?: string }
          // The check after the agent's work starts what the agent has mended.
          const starts = activities(recorded, type === 'watchdog' ? 'startService' : 'verifyService')
          const end = recorded.find((one) => one.kind === 'completed')
          return [
            ...(service === undefined ? [] : [escalated(service)]),
            ...(end === undefined ? [] : [ended(service ?? '', (end.result as { outcome: string }).outcome)]),
            ...starts.flatMap((start) => {
              const request = start.input as { service: string; incident: number | null }
              const { started = true } = start.result as { started?: boolean }
              return request.incident !== null && started ? [restarted(request.service)] : []
            }),
          ]
        }
        default:
          return []
      }
    })
    .sort()
}

function factsOfSession(session: string, recorded: readonly Recorded[]): string[] {
  const facts: string[] = []
  const now: { place: string | null; isParked: boolean; cause: string } = {
    ...{ place: null, isParked: false, cause: 'start' },
  }
  for (const one of recorded) {
    if (one.kind === 'attributes' && one.values[searchAttributes.phase] !== undefined) {
      const isParked = one.values[searchAttributes.phase] === 'parked'
      if (isParked && !now.isParked) facts.push(parked(session, now.place))
      if (isParked) now.cause = 'wake'
      now.isParked = isParked
    }
    if (one.kind !== 'activity') continue
    const { place } = (one.input ?? {}) as { place?: { name: string } }
    if (one.name === 'launchAgent' && place !== undefined) {
      if (now.place !== null) facts.push(moved(session, now.cause, now.place, place.name))
      now.place = place.name
    }
    const { kind } = (one.result ?? {}) as { kind?: string }
    if (one.name === 'watchAgent' && kind === 'walled') {
      facts.push(walled(place?.name ?? ''))
      now.cause = 'wall'
    }
  }
  return facts
}

const factsOfEvents = (events: readonly OutpoolEvent[]): string[] =>
  events
    .flatMap((event) => {
      switch (event.kind) {
        case 'session-moved':
          return [moved(event.session, event.cause, event.from, event.to)]
        case 'session-parked':
          return [parked(event.session, event.from)]
        case 'account-walled':
          return [walled(event.account)]
        case 'task-failed':
          return [failed(event.task)]
        case 'service-restarted':
          return [restarted(event.service)]
        case 'escalation-started':
          return [escalated(event.service)]
        case 'escalation-ended':
          return [ended(event.service, event.result)]
        default:
          return []
      }
    })
    .sort()

/** From the lines, as a person reads them. */
const factsOfLog = (log: string): string[] =>
  log
    .split('\n')
    .flatMap((line) => {
      const [, said = ''] = /^\S+ \w+ +(.*)$/.exec(line) ?? []
      const move = /^(\S+): (?:(\S+) walled \(.*\)|parked) → (\S+), same conversation, /.exec(said)
      if (move !== null) {
        const [, session = '', from = null, to = ''] = move
        return [moved(session, from === null ? 'wake' : 'wall', from, to)]
      }
      const park = /^(\S+): (\S+) walled \(.*\) → parked until /.exec(said)
      if (park !== null) return [parked(park[1] ?? '', park[2] ?? '')]
      const wall = /^(\S+): walled \(five_hour, until .*\)$/.exec(said)
      if (wall !== null) return [walled(wall[1] ?? '')]
      const task = /^task (\S+): failed: /.exec(said)
      if (task !== null) return [failed(task[1] ?? '')]
      const [, service = '', what = ''] = /^service (\S+): (.*) \(incident 1\)$/.exec(said) ?? []
      if (/^(restart 1|started after the agent was done)/.test(what)) return [restarted(service)]
      if (what.startsWith('restarts did not help')) return [escalated(service)]
      if (what === 'escalation over: the service is well again, and checked')
        return [ended(service, 'healed')]
      // Every other line with an arrow would be a move that the histories do not know.
      return said.includes('→') ? [said] : []
    })
    .sort()

const factsOfReport = ({ moves, parks, walls, incidents, failures }: Report): string[] =>
  [
    ...moves.map(({ session, cause, from, to }) => moved(session, cause, from, to)),
    ...parks.map(({ session, from }) => parked(session, from)),
    ...walls.flatMap(({ account, count }) => Array<string>(count).fill(walled(account))),
    ...incidents.flatMap(({ service, restarts, escalation }) => [
      ...Array<string>(restarts).fill(restarted(service)),
      ...(escalation === null ? [] : [escalated(service)]),
      ...(escalation === null || escalation === 'open' ? [] : [ended(service, escalation)]),
    ]),
    ...failures.flatMap((event) => (event.kind === 'task-failed' ? [failed(event.task)] : [])),
  ].sort()

/** Metrics count, and name no session and no place that it came from. */
const withoutNames = (fact: string): string =>
  fact
    .replace(/^\S+ is moved from .*: /, 'a session is moved: ')
    .replace(/^\S+ is (woken|parked).*/, 'a session is $1')

/** Each as often as its counter says. */
const factsOfMetrics = (scrape: string): string[] =>
  scrape
    .split('\n')
    .flatMap((line) => {
      const [, name = '', labels = '', count = '0'] = /^outpool_(\w+)_total\{(.*)\} (\d+)$/.exec(line) ?? []
      const label = (key: string): string => new RegExp(`${key}="([^"]*)"`).exec(labels)?.[1] ?? ''
      const facts = (fact: string): string[] => Array<string>(Number(count)).fill(fact)
      switch (name) {
        case 'rescues':
          if (label('result') === 'parked') return facts('a session is parked')
          return facts(
            label('cause') === 'wake' ? 'a session is woken' : `a session is moved: ${label('cause')}`,
          )
        case 'walls':
          return facts(walled(label('account')))
        case 'service_restarts':
          return facts(restarted(label('service')))
        case 'escalations':
          return facts(
            label('result') === 'started'
              ? escalated(label('service'))
              : ended(label('service'), label('result')),
          )
        case 'task_runs':
          return label('result') === 'failed' ? facts(failed(label('task'))) : []
        default:
          return []
      }
    })
    .sort()

const factsInHistories = async (): Promise<string[]> =>
  factsOfHistories(await openHistories(openHome(fleet.env)))

it('the histories hold one of each', async () => {
  expect(await factsInHistories()).toEqual(
    [
      ...[walled(first), moved('docs', 'wall', first, second), walled(second), parked('docs', second)],
      ...[moved('docs', 'wake', second, second), failed('broken')],
      // The restart that did not help, and the one after the agent had mended it.
      ...[restarted('loop'), escalated('loop'), restarted('loop'), ended('loop', 'healed')],
    ].sort(),
  )
})

it('law 14: events say what the histories say', async () => {
  const { stdout } = await fleet.run('events', '--json')
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as OutpoolEvent)
  expect(factsOfEvents(events)).toEqual(await factsInHistories())
})

it('law 14: the log says what the histories say', async () => {
  expect(factsOfLog(fleet.log())).toEqual(await factsInHistories())
})

it('law 14: the report says what the histories say', async () => {
  const report = await fleet.json<Report>('report')
  expect(factsOfReport(report)).toEqual(await factsInHistories())
  expect(report).toMatchObject({ waiting: [], parked: [] })
})

it('law 14: metrics count what the histories hold', async () => {
  const scrape = await (await fetch(metrics)).text()
  const facts = (await factsInHistories()).map(withoutNames).sort()
  expect(factsOfMetrics(scrape)).toEqual(facts)
  expect(scrape).toMatch(/^outpool_parked_seconds_count 1$/m)
})
