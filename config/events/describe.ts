/** Events in words, for the log and for commands alike. */
import { featuresOffText } from '../../policy/featureTexts.js'
import { counted } from '../../policy/formatCount.js'
import { formatList } from '../../policy/formatList.js'
import { describeDuration, describeShortDuration, percent } from '../../policy/instants.js'
import { formatLocalClock } from '../localClock.js'
import type { OutpoolEvent } from './schema.js'

export type EventLevel = 'debug' | 'info' | 'warn' | 'error'

type Moved = Extract<OutpoolEvent, { kind: 'session-moved' }>
type Parked = Extract<OutpoolEvent, { kind: 'session-parked' }>
type Waiting = Extract<OutpoolEvent, { kind: 'session-waiting' }>
type Hung = Extract<OutpoolEvent, { kind: 'session-hung' }>
type Rehearsed = Extract<OutpoolEvent, { kind: 'agent-rehearsed' }>
type WallWords = NonNullable<Moved['wall']>

/** How much the event matters to a person. `debug`: another event of the same moment says it too. */
export function levelOf(event: OutpoolEvent): EventLevel {
  switch (event.kind) {
    case 'session-walled':
    case 'session-woken':
    case 'session-on-fallback':
    case 'session-off-fallback':
    case 'account-read':
      return 'debug'
    case 'session-parked':
    case 'session-crashed':
    case 'session-hung':
    case 'session-turn-stopped':
    case 'session-waiting':
    case 'session-logged-out':
    case 'session-restored':
    case 'account-logged-out':
    case 'service-missing':
    case 'service-frozen':
      return 'warn'
    case 'service-restarted':
      return event.incident === null ? 'info' : 'warn'
    case 'agent-unrehearsed':
      return 'warn'
    case 'agent-rehearsed':
      if (event.missed.length === 0) return 'info'
      return event.missed.some(({ isEssential }) => isEssential) ? 'error' : 'warn'
    case 'worker-down':
      return event.how === 'died' ? 'warn' : 'info'
    case 'task-failed':
    case 'escalation-started':
    case 'engine-down':
      return 'error'
    case 'escalation-ended':
      return event.result === 'given-up' ? 'error' : 'info'
    case 'drill-ended':
      return event.ok ? 'info' : 'error'
    default:
      return 'info'
  }
}

/** One line that says whom the event is about, and what happened. Times of day are local. */
export function describeEvent(event: OutpoolEvent, now: Date): string {
  const at = (instant: string): string => formatLocalClock(instant, now)
  switch (event.kind) {
    case 'session-started':
      return `${event.session}: started on ${event.place} (${event.why}), ${describeShortDuration(event.ms)}`
    case 'session-walled':
      return `${event.session}: ${event.account} ${walled({ ...event, kind: event.wall }, at)}`
    case 'session-moved':
      return `${event.session}: ${moveReason(event, at)} → ${event.to}, ${conversations[event.conversation]}, ${describeShortDuration(event.ms)}`
    case 'session-parked':
      return `${event.session}: ${parkReason(event, at)} → parked ${event.until === null ? 'for a person' : `until ${at(event.until)}`}: ${event.why}`
    case 'session-woken':
      return `${event.session}: runs again on ${event.to}, parked for ${describeDuration(event.parkedMs)}`
    case 'session-on-fallback':
      return `${event.session}: on a fallback: ${event.place}${event.model === null ? '' : ` with ${event.model}`}`
    case 'session-off-fallback':
      return `${event.session}: back on ${event.account}, after ${describeDuration(event.fallbackMs)} on a fallback`
    case 'session-crashed':
      return `${event.session}: crashed${event.account === null ? '' : ` on ${event.account}`} (${event.how}); starts again at ${at(event.retryAt)}`
    case 'session-hung':
      return `${event.session}: ${hangs[event.how]}; ${remedies[event.remedy]}`
    case 'session-turn-stopped':
      return `${event.session}: a hook stopped its turn`
    case 'session-waiting':
      return `${event.session}: waits for a person: ${waits[event.reason]}`
    case 'session-attended':
      return `${event.session}: no longer waits for a person, after ${describeDuration(event.waitedMs)}`
    case 'session-logged-out':
      return `${event.session}: ${event.account ?? 'its account'} is logged out`
    case 'session-paused':
      return `${event.session}: paused`
    case 'session-restored':
      return `${event.session}: its workflow was ${event.how} at the engine, not by Outpool; it is back with its conversation`
    case 'session-released':
      return `${event.session}: released: its process goes on without outpool`
    case 'session-stopped':
      return `${event.session}: stopped: ${event.why}`
    case 'account-walled':
      return `${event.account}: ${walled({ ...event, kind: event.wall }, at)}`
    case 'account-near-limit':
      return `${event.account}: near its limit: ${percent(event.used)} of ${event.window} used${event.resetsAt === null ? '' : `, resets at ${at(event.resetsAt)}`}`
    case 'account-back':
      return `${event.account}: ${event.from === 'wall' ? `no longer walled${event.scope === 'account' ? '' : ` for ${event.scope}`}` : 'no longer near its limit'}, after ${describeDuration(event.afterMs)}`
    case 'account-logged-out':
      return `${event.account}: logged out; log in again`
    case 'account-logged-in':
      return `${event.account}: logged in again`
    case 'account-read':
      return `${event.account}: ${event.windows.map(({ name, used }) => `${name} ${percent(used)}`).join(', ')}`
    case 'task-run':
      return `task ${event.task}: done, ${describeShortDuration(event.ms)}${event.summary === null ? '' : `: ${event.summary}`}`
    case 'task-failed':
      return `task ${event.task}: failed${event.failures > 1 ? ` ${event.failures} times in a row` : ''}: ${event.error}`
    case 'service-missing':
      return `service ${event.service}: missing: ${event.why} (incident ${event.incident})`
    case 'service-frozen':
      return `service ${event.service}: frozen: ${event.why} (incident ${event.incident})`
    case 'service-busy':
      return `service ${event.service}: busy, left alone: ${event.why}`
    case 'service-restarted':
      return `service ${event.service}: ${event.attempt}${event.pid === null ? '' : `, process ${event.pid}`}${event.incident === null ? '' : ` (incident ${event.incident})`}`
    case 'service-back':
      return `service ${event.service}: well again, after ${describeDuration(event.afterMs)} (incident ${event.incident})`
    case 'escalation-started':
      return `service ${event.service}: restarts did not help, an agent is woken (incident ${event.incident})`
    case 'escalation-ended':
      return `service ${event.service}: escalation over: ${results[event.result]} (incident ${event.incident})`
    case 'drill-ended':
      return `${event.drill}: ${event.ok ? 'passed' : `failed: ${event.why ?? 'no reason given'}`}, ${describeDuration(event.ms)}`
    case 'engine-down':
      return `engine: ${event.address} does not answer`
    case 'engine-up':
      return `engine: ${event.address} answers again, after ${describeDuration(event.downMs)}`
    case 'worker-up':
      return `worker: watches this host (process ${event.pid})`
    case 'worker-down':
      return `worker: process ${event.pid} ${event.how}: ${event.why}`
    case 'agent-unrehearsed':
      return `${event.agent} ${event.version}: was never rehearsed here; \`outpool rehearse\` takes about a minute`
    case 'agent-rehearsed':
      return `${event.agent} ${event.version}: ${rehearsed(event)}, ${describeDuration(event.ms)}`
    case 'configuration-taken':
      return `configuration: ${event.file}: ${counted(event.accounts, 'account')}, ${counted(event.substrates, 'substrate')}, ${counted(event.tasks, 'task')}, ${counted(event.services, 'service')}`
  }
}

const conversations: Record<Moved['conversation'], string> = {
  same: 'same conversation',
  fork: 'a fork of the conversation',
}

const hangs: Record<Hung['how'], string> = {
  'hung-request': 'its request hangs',
  stopped: 'its process was suspended',
  spinning: 'it spins without a result',
}

const remedies: Record<Hung['remedy'], string> = {
  continue: 'the process is continued',
  interrupt: 'the request is interrupted',
  restart: 'the agent is started again',
}

const waits: Record<Waiting['reason'], string> = {
  question: 'the agent asks something',
  permission: 'the agent asks for a permission',
  context: 'its context is full',
  settings: 'the agent refuses its settings',
  login: 'no account that could take it is logged in',
  page: 'the agent program opens a page at its start',
}

const results = {
  healed: 'the service is well again, and checked',
  recovered: 'the service recovered',
  'given-up': 'given up',
} as const

function rehearsed({ missed, expectations, consequence, off }: Rehearsed): string {
  if (missed.length === 0) return `held all ${expectations} expectations`
  const means = featuresOffText(off) ?? consequence ?? ''
  return `fell short: ${formatList(missed.map(({ name }) => name))}; ${means}`
}

function walled({ kind, scope, resetsAt }: Omit<WallWords, 'evidence'>, at: (instant: string) => string) {
  const until = resetsAt === null ? 'until an unknown time' : `until ${at(resetsAt)}`
  return `walled (${kind}${scope === 'account' ? '' : ` for ${scope}`}, ${until})`
}

function moveReason(
  { cause, byPerson, from, wall }: Pick<Moved, 'cause' | 'byPerson' | 'from' | 'wall'>,
  at: (instant: string) => string,
): string {
  const place = from ?? 'no place'
  if (wall !== null) return `${place} ${walled(wall, at)}${byPerson === true ? ', ordered by a person' : ''}`
  switch (cause) {
    case 'wall':
      return `${place} treated as walled`
    case 'near-limit':
      return `${place} near its limit`
    case 'login':
      return `${place} logged out`
    case 'crash':
      return `crashed on ${place}`
    case 'move':
      return `moved from ${place} by a person`
    case 'home':
      return `back from ${place}`
    case 'wake':
      return 'parked'
  }
}

function parkReason(event: Parked, at: (instant: string) => string): string {
  if (event.cause === 'breaker') return 'the breaker tripped'
  if (event.cause === 'start') return 'not started yet'
  return moveReason({ ...event, cause: event.cause }, at)
}
