/** What events count for: each event is recorded once, and so is counted once. */
import type { Config } from '../../config/config.js'
import { eventKinds, type OutpoolEvent } from '../../config/events/schema.js'
import { waitReasons } from '../../policy/notices/hostReport.js'
import { rescueCauses } from '../../policy/session/session.js'
import { catalog } from './catalog.js'
import { BoundedNames, type Instruments } from './instruments.js'

type EventOf<K extends OutpoolEvent['kind']> = Extract<OutpoolEvent, { kind: K }>
/** The values of a label, of which the compiler misses none. */
const all = <V extends string>(values: Record<V, 0>): string[] => Object.keys(values)
const hangs = all<EventOf<'session-hung'>['how']>({ 'hung-request': 0, stopped: 0, spinning: 0 })
const escalationResults = all<EventOf<'escalation-ended'>['result'] | 'started'>({
  ...{ started: 0, healed: 0, recovered: 0, 'given-up': 0 },
})

export class EventMetrics {
  readonly #to: Instruments
  readonly #wallNames = new BoundedNames()

  constructor(to: Instruments) {
    this.#to = to
  }

  /** Counters that have not counted yet are known from the start, as far as their labels are known. */
  beginAtZero({ services, tasks }: Pick<Config, 'services' | 'tasks'>): void {
    const to = this.#to
    for (const kind of eventKinds) to.add(catalog.events, { kind }, 0)
    for (const cause of rescueCauses)
      for (const result of ['moved', 'fallback', 'parked', 'failed'])
        to.add(catalog.rescues, { cause, result }, 0)
    for (const how of hangs) to.add(catalog.hangs, { how }, 0)
    for (const reason of waitReasons) to.add(catalog.waits, { reason }, 0)
    for (const { name: service } of services) {
      to.add(catalog.restarts, { service }, 0)
      for (const result of escalationResults) to.add(catalog.escalations, { service, result }, 0)
    }
    for (const result of ['ok', 'failed']) {
      for (const { name: task } of tasks) to.add(catalog.tasks, { task, result }, 0)
      to.add(catalog.drills, { result }, 0)
    }
    for (const one of [catalog.failedSteps, catalog.breaker, catalog.crashes, catalog.engineOutages])
      to.add(one, {}, 0)
  }

  count(event: OutpoolEvent): void {
    const to = this.#to
    to.add(catalog.events, { kind: event.kind })
    switch (event.kind) {
      case 'session-moved': {
        const { cause, conversation, ms, steps } = event
        to.add(catalog.rescues, { cause, result: conversation === 'fork' ? 'fallback' : 'moved' })
        to.record(catalog.rescueSeconds, ms, { cause })
        to.add(catalog.failedSteps, {}, steps.filter(({ failed }) => failed).length)
        return
      }
      case 'session-parked': {
        const { cause, isFailure } = event
        if (cause === 'breaker') to.add(catalog.breaker, {})
        else if (cause !== 'start')
          to.add(catalog.rescues, { cause, result: isFailure === true ? 'failed' : 'parked' })
        return
      }
      case 'session-woken':
        to.record(catalog.parkSeconds, event.parkedMs, {})
        return
      case 'session-crashed':
        to.add(catalog.crashes, {})
        return
      case 'session-hung':
        to.add(catalog.hangs, { how: event.how })
        return
      case 'session-waiting':
        to.add(catalog.waits, { reason: event.reason })
        return
      case 'account-walled':
        to.add(catalog.walls, { account: event.account, wall: this.#wallNames.of(event.wall) })
        return
      case 'service-restarted':
        to.add(catalog.restarts, { service: event.service })
        return
      case 'escalation-started':
        to.add(catalog.escalations, { service: event.service, result: 'started' })
        return
      case 'escalation-ended':
        to.add(catalog.escalations, { service: event.service, result: event.result })
        return
      case 'task-run':
      case 'task-failed': {
        const { task, ms, kind } = event
        to.add(catalog.tasks, { task, result: kind === 'task-run' ? 'ok' : 'failed' })
        to.record(catalog.taskSeconds, ms, { task })
        return
      }
      case 'drill-ended':
        to.add(catalog.drills, { result: event.ok ? 'ok' : 'failed' })
        return
      case 'engine-down':
        to.add(catalog.engineOutages, {})
        return
      default:
    }
  }
}
