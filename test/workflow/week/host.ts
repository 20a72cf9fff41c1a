/**
 * The host of a week: its services, its agents and its tasks. While its worker is down or the host is
 * suspended it answers nothing.
 */
import { ApplicationFailure } from '@temporalio/common'
import type { HostActivities, LaunchRequest } from '../../../activities/contracts.js'
import type {
  ServiceActivities,
  ServiceObservation,
  ServiceWatchRequest,
  VerifyRequest,
  WakeUpPlan,
  WakeUpRequest,
  WakeUpObservation,
  WakeUpWatchRequest,
} from '../../../activities/services/contracts.js'
import { nextHealer } from '../../../policy/independence/healers.js'
import { wakeUpSessionName } from '../../../policy/ids.js'
import type { HealerPlace } from '../../../policy/service/service.js'
import { Attempts, stepKey } from '../harness/attempts.js'
import { iso } from '../../../policy/instants.js'
import type { SimulatedHost } from '../harness/testServer.js'
import { WatchSimulation } from './watchSimulation.js'
import { Log } from './log.js'
import { agentTimeout, type AgentPlan, type WeekPlan } from './plan.js'
import { Service } from './service.js'
import { hour, second, type Span, spanAt } from './spans.js'
import { FakeTasks } from './fakeTasks.js'

const places: HealerPlace[] = [
  { kind: 'account', name: 'medic' },
  { kind: 'substrate', name: 'key' },
]

/** A person who was notified takes this long. */
const personTakes = 3 * hour

interface Agent {
  service: string
  incident: number
  plan: AgentPlan
  place: string
  doneAt: number
  hasAsked: boolean
}

export class WeekHost implements SimulatedHost {
  readonly hostId: string
  readonly pool: string
  readonly plan: WeekPlan
  readonly log = new Log()
  readonly guards: Map<string, WatchSimulation>
  readonly tasks: FakeTasks
  readonly #out: Span[]
  readonly #attempts = new Attempts()
  readonly #agents = new Map<string, Agent>()
  readonly #openIncidents = new Map<string, number>()
  readonly #callsPerson: { guard: WatchSimulation; at: number }[] = []
  #incidents = 0
  #woken = 0
  #starts = 0

  constructor(plan: WeekPlan) {
    this.plan = plan
    this.hostId = `week-${plan.seed}`
    this.pool = `week-${plan.seed}`
    this.#out = [...plan.workerDown, ...plan.suspended]
    this.tasks = new FakeTasks(plan, this.#attempts)
    this.guards = new Map(
      [...plan.services].map(([name, one]) => {
        const service = new Service(name, one, plan.suspended)
        if (!one.spec.canStart) service.start(plan.start, 'person')
        return [name, new WatchSimulation(service, this.log, this.#out)]
      }),
    )
  }

  liveSessions = (): Promise<string[]> => Promise.resolve([])

  activities(): Partial<HostActivities & ServiceActivities> & ReturnType<FakeTasks['activities']> {
    return {
      ...this.tasks.activities(),
      watchService: (request) => this.#at(request.service, (guard) => this.#watch(guard, request)),
      checkService: ({ service }) =>
        this.#at(service, (guard) => {
          const { verdict, why, process, memory, nextCheckAt } = guard.look()
          return {
            verdict,
            why,
            pid: process?.pid ?? null,
            lastBeat: memory.beat,
            nextCheckAt: iso(nextCheckAt),
          }
        }),
      startService: ({ service, fence, incident }) =>
        this.#at(service, (guard) => {
          const started = guard.start(fence, incident, 'watchdog')
          // Carried out, but the worker died before it could answer.
          if (++this.#starts % this.plan.answerLostEvery === 0)
            throw this.#attempts.retryAt(guard.advanceTo(0) + second)
          return started
        }),
      awaitServiceRecovery: ({ service, since }) =>
        this.#at(service, (guard) => {
          const wants = { trouble: false, backSince: Date.parse(since), until: Infinity }
          this.#untilSeen(guard, 'await', () => wants)
        }),
      prepareWakeUp: (request) => this.#at(request.service, (_, now) => this.#prepare(request, now)),
      launchAgent: async (request) => {
        await Promise.resolve()
        return this.#launch(request, this.#here())
      },
      watchWakeUp: (request) => this.#at(request.service, (guard, now) => this.#work(guard, request, now)),
      endWakeUp: ({ service, incident, session, description }) =>
        this.#at(service, (_, at) => {
          this.#agents.delete(session)
          this.log.add(service, { at, kind: 'agent ended', incident, says: description })
        }),
      verifyService: (request) => this.#at(request.service, (guard) => this.#verify(guard, request)),
      noteIncident: ({ service }) => this.#at(service, () => undefined),
      closeIncident: ({ service, incident, outcome }) =>
        this.#at(service, (_, at) => {
          this.#openIncidents.delete(service)
          this.log.add(service, { at, kind: 'closed', incident, outcome })
          return 'the report'
        }),
      sendNotice: async ({ notice }) => {
        await Promise.resolve()
        this.#notified(notice.id, notice.text, this.#here())
        return { failed: [] }
      },
    }
  }

  /** The current instant if the host is up; otherwise callers wait. */
  #here(): number {
    const now = this.#attempts.now()
    const out = spanAt(this.#out, now)
    if (out !== null) throw this.#attempts.retryAt(out.to + second)
    return now
  }

  /** A step on a service. A step that throws synchronously ends before the engine knows that it began. */
  async #at<T>(service: string, step: (guard: WatchSimulation, now: number) => T): Promise<T> {
    await Promise.resolve()
    const guard = this.guards.get(service)!
    return step(guard, guard.advanceTo(this.#here()))
  }

  #untilSeen(guard: WatchSimulation, kind: string, make: Parameters<WatchSimulation['awaitWatch']>[2]) {
    const watch = guard.awaitWatch(kind, stepKey(), make)
    if (watch.seen !== null) return watch.seen
    throw this.#attempts.retryAt(guard.nextObservationAt(watch))
  }

  #watch(
    guard: WatchSimulation,
    { service, reportTrouble, incident, since }: ServiceWatchRequest,
  ): ServiceObservation {
    const observation = this.#untilSeen(guard, 'watch', () => ({
      ...{ trouble: reportTrouble, backSince: incident === null ? null : Date.parse(since), until: Infinity },
    }))
    const at = this.#attempts.now()
    if (observation.kind === 'trouble') {
      const { verdict, why } = observation
      const open = this.#openIncidents.get(service) ?? ++this.#incidents
      this.#openIncidents.set(service, open)
      this.log.add(service, { at, kind: 'trouble', incident: open, why, seenAt: observation.at })
      return { kind: 'trouble', verdict, why, incident: open }
    }
    if (observation.kind !== 'back' || incident === null) return { kind: 'rollover' }
    this.#openIncidents.delete(service)
    const pid = guard.service.processAt(observation.at)?.pid ?? null
    this.log.add(service, { at, kind: 'back', incident, pid, seenAt: observation.at })
    return { kind: 'back' }
  }

  #prepare({ service, incident, attempt, tried }: WakeUpRequest, at: number): WakeUpPlan {
    const choice = nextHealer(places, [], tried, null, 0, at)
    const place = choice.kind === 'place' ? choice.place : null
    this.log.add(service, {
      at,
      kind: 'asked which agent to wake',
      incident,
      attempt,
      place: place?.name ?? null,
    })
    if (choice.kind === 'none') return { kind: 'none', why: choice.why }
    return {
      ...{ kind: 'ready', place: choice.place, agent: 'claude-code', model: null, cwd: '/work' },
      ...{ promptFile: '/incidents/wake-up.md', timeout: agentTimeout },
    }
  }

  #launch({ session, place }: LaunchRequest, at: number) {
    const [service, incident] = [...this.#openIncidents].find(([, n]) => wakeUpSessionName(n) === session)!
    const plan = this.plan.agents[this.#woken++ % this.plan.agents.length]!
    const comesUp = plan.kind !== 'does not come up'
    this.log.add(service, { at, kind: 'woken', incident, place: place.name, comesUp })
    if (!comesUp) throw ApplicationFailure.nonRetryable('it ended at its start', 'LaunchFailed')
    const agent = { service, incident, plan, place: place.name, doneAt: at + plan.workMs, hasAsked: false }
    this.#agents.set(session, agent)
    return {
      ...{ pane: '%1', pid: 1, tmuxSocket: '/tmux', transcript: null, transcriptFrom: 0 },
      ...{ promptTaken: true, settledForks: [], pendingInput: [], plans: [], steps: [] },
    }
  }

  #work(
    { service }: WatchSimulation,
    { session, until, waitingFor }: WakeUpWatchRequest,
    now: number,
  ): WakeUpObservation {
    const agent = this.#agents.get(session)
    if (agent === undefined) return { kind: 'failed', why: 'its pane vanished' }
    const { plan } = agent
    const end = Math.min(Date.parse(until), agent.doneAt)
    if (plan.kind === 'asks' && !agent.hasAsked && waitingFor === null) {
      agent.hasAsked = true
      return { kind: 'waiting', what: 'permission to run make', transcriptTo: 1 }
    }
    if (now < end) throw this.#attempts.retryAt(end)
    if (plan.kind === 'walled') return { kind: 'failed', why: 'walled' }
    if (plan.kind !== 'wrong') this.#repair(service, now, 'agent')
    return plan.kind === 'late' ? { kind: 'over', why: 'it was not done in time' } : { kind: 'done' }
  }

  /** The cause is gone; a service that Outpool can't start is started as well. */
  #repair(service: Service, at: number, by: 'agent' | 'person'): void {
    service.repair(at)
    if (service.plan.spec.canStart || service.isUp(at)) return
    const hung = service.processAt(at)
    if (hung !== null) service.end(hung, at)
    const { pid } = service.start(at, by)
    this.log.add(service.name, { at, kind: 'started', by, pid, fence: 0, incident: null })
  }

  #verify(guard: WatchSimulation, { service, fence, incident, since }: VerifyRequest) {
    const { heartbeatWithin } = guard.service.plan
    const seen = this.#untilSeen(guard, 'verify', (now) => {
      guard.start(fence, incident, 'check')
      return { trouble: false, backSince: Date.parse(since), until: now + heartbeatWithin }
    })
    const well = seen.kind === 'back'
    const why = well ? 'its own signs of life are back' : guard.look().why
    const pid = guard.service.processAt(seen.at)?.pid ?? null
    this.log.add(service, { at: this.#attempts.now(), kind: 'checked', incident, well, pid, why })
    return { well, why }
  }

  #notified(key: string, text: string, at: number): void {
    const [, service = '', incident, asks] = /^incident\/([^/]+)\/(\d+)(\/question)?$/.exec(key) ?? []
    const guard = this.guards.get(service)!
    const kind = asks === undefined ? 'told' : 'notified of a question'
    this.log.add(service, { at, kind, incident: Number(incident), text })
    if (asks !== undefined) return
    this.#callsPerson.push({ guard, at: at + personTakes })
  }

  /** People who were notified come when they can; they start the services that Outpool can't. */
  passTo(now: number): void {
    for (const { guard } of this.#callsPerson.filter(({ at }) => at <= now)) {
      guard.advanceTo(now)
      if (!guard.service.plan.spec.canStart) this.#repair(guard.service, now, 'person')
    }
    const waiting = this.#callsPerson.filter(({ at }) => at > now)
    this.#callsPerson.splice(0, Infinity, ...waiting)
  }
}
