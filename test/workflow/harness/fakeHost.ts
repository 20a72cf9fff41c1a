/**
 * A host without tmux and without agents: it tracks what real ones would have (processes, fences, where each
 * conversation lies, which texts arrived), refuses what they would refuse, and records what it was asked. The
 * test scripts what happens on it.
 */
import { Context } from '@temporalio/activity'
import type {
  DeliverRequest,
  DrillActivities,
  EventDraft,
  HostActivities,
  LaunchResult,
  LaunchRequest,
  NoticeOutcome,
  NoticeRequest,
  SessionObservation,
  SessionRef,
  StopResult,
  StopRequest,
  WatchRequest,
} from '../../../activities/contracts.js'
import type { FeatureOff } from '../../../policy/features.js'
import type { AccountReading, Wall } from '../../../policy/account/account.js'
import { iso } from '../../../policy/instants.js'
import type { Notice } from '../../../policy/notices/notice.js'
import type { ServiceActivities } from '../../../activities/services/contracts.js'
import type { TaskActivities } from '../../../activities/tasks/contracts.js'
import { retryLater } from './attempts.js'
import { FakeAccount, unread } from './fakeAccount.js'
import { FakeDrills } from './fakeDrills.js'
import { FakeServices } from './fakeServices.js'
import type { SimulatedHost } from './testServer.js'
import { failureFrom } from '../../../activities/failures.js'
import { StaleFenceError } from '../../../host/errors.js'

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** What a watch sees; the rest of an observation is filled in by the host. */
export type ScriptedObservation = DistributiveOmit<
  SessionObservation,
  'readings' | 'at' | 'transcriptTo' | 'wasWorking'
> & {
  wasWorking?: boolean
}

/** A carry is a part of its launch, recorded separately because it can fail alone. */
type Step = keyof HostActivities | 'carry'

export interface RecordedCall {
  step: Step
  session: string
  fence: number
  account: string
  at: number
}

export interface Process {
  session: string
  sessionId: string
  fence: number
  account: string
  pid: number
}

interface Hold {
  reached: Promise<void>
  open: () => void
}

/** The virtual instant of an attempt; it does not advance while the attempt runs. */
const instant = (): number => Context.current().info.currentAttemptScheduledTimestampMs

export class FakeHost implements SimulatedHost {
  readonly hostId: string
  readonly pool: string
  /** The calls to the host, in order; watches and deliveries count once, however often they check. */
  readonly calls: RecordedCall[] = []
  readonly launches: LaunchRequest[] = []
  readonly watches: WatchRequest[] = []
  /** Live processes by session. */
  readonly processes = new Map<string, Process>()
  /** Texts that reached the agent, by session: `[id, text]`, in order. */
  readonly delivered = new Map<string, string[]>()
  /** Wake-ups that the session's earlier processes had planned. */
  readonly dueWakeUps = new Map<string, { id: string; at: string }[]>()
  /** Breaches of a law that the host saw. */
  readonly violations: string[] = []
  /** Sessions whose agent is in a turn: texts wait. */
  readonly busy = new Set<string>()
  /** The notices that a person got, in order; a channel in `mute` is down. */
  readonly sentNotices: { channel: string; notice: Notice; at: number }[] = []
  readonly mutedChannels = new Set<string>()
  readonly drill = new FakeDrills()
  readonly services = new FakeServices()
  /** How often a watch checks, in virtual time. */
  pollEvery = 5_000
  /** What the workflows said, by id, in the order of arrival. */
  readonly events = new Map<string, EventDraft>()
  /** Every call of a delivery, in order. */
  readonly deliveries: DeliverRequest[] = []
  /** Names of texts that were typed to earlier processes, as a launch finds them on the host. */
  typedTexts: string[] = []
  /** Whether the agent is seen to take the prompt it is launched with. */
  acceptsPrompt = true
  /** Features that are off for the installed agent program. */
  off: FeatureOff[] = []
  readonly accounts: Map<string, FakeAccount>
  /** Walls of each substrate. */
  readonly substrates: Map<string, Wall[]>

  readonly #observations = new Map<string, ScriptedObservation[]>()
  /**
   * The last wall that a watch saw, and from which point of the transcript on, until the workflow has acted
   * on it.
   */
  readonly #lastObserved = new Map<string, { from: string; observation: ScriptedObservation }>()
  readonly #newestFence = new Map<string, number>()
  readonly #stoppedFence = new Map<string, number>()
  /** Everything said in each conversation, and its copies by account. */
  readonly #messages = new Map<string, string[]>()
  /** Carries of the launch in progress, by session. */
  readonly #carried = new Map<string, number>()
  readonly #copies = new Map<string, Map<string, string[]>>()
  /** Sessions that were ordered to fail back and have not been launched since. */
  readonly failingBack = new Set<string>()
  /** The forks that were handed over to each conversation, in order. */
  readonly handedOver: { session: string; to: string; fork: string }[] = []
  readonly #pendingHandOvers = new Map<string, string[]>()
  readonly #handedOverForks = new Set<string>()
  readonly #takenIds = new Set<string>()
  readonly #failures: { step: Step; when: (account: string) => boolean; fault: Error }[] = []
  readonly #holds = new Map<Step, { arrive: () => void; opened: Promise<void> }>()
  readonly #inStep = new Set<string>()
  readonly #watched = new Set<string>()
  #pids = 1000

  constructor(hostId: string, pool: string, accounts: string[], substrates: string[] = []) {
    this.substrates = new Map(substrates.map((name) => [name, []]))
    this.hostId = hostId
    this.pool = pool
    this.accounts = new Map(accounts.map((account) => [account, new FakeAccount(account)]))
    this.services.onAgentEnd = ({ session }) => void this.processes.delete(session)
  }

  liveSessions: () => Promise<string[]> = () => Promise.resolve([])

  /** The next watch of the session that checks sees this. */
  willObserve(session: string, observation: ScriptedObservation): void {
    this.#observations.set(session, [...(this.#observations.get(session) ?? []), observation])
    if (observation.kind === 'exited' || observation.kind === 'gone') this.processes.delete(session)
  }

  hasObservedAll(session: string): boolean {
    return (this.#observations.get(session) ?? []).length === 0
  }

  /** Whether the workflow has acted on everything that its watches saw. */
  hasProcessedAll(session: string): boolean {
    return this.hasObservedAll(session) && !this.#lastObserved.has(session)
  }

  /** The next call of this step fails; one failure for each call of this method. */
  failNext(step: Step, fault: Error, when: (account: string) => boolean = () => true): void {
    this.#failures.push({ step, when, fault })
  }

  /** Cancels the failures scripted from here on. */
  clearFailures(): void {
    this.#failures.length = 0
  }

  /** The next call of the step waits before it does its work, until it is let through. */
  holdNext(step: Step): Hold {
    let open = (): void => undefined
    let arrive = (): void => undefined
    const reached = new Promise<void>((resolve) => (arrive = resolve))
    const opened = new Promise<void>((resolve) => (open = resolve))
    this.#holds.set(step, { arrive, opened })
    return { reached, open }
  }

  /** A conversation that lies on the host without having been begun here. */
  addConversation(sessionId: string, account: string): void {
    this.#addMessage(sessionId, account, 'said before')
  }

  #copiesOf(sessionId: string): Map<string, string[]> {
    const copies = this.#copies.get(sessionId) ?? new Map<string, string[]>()
    this.#copies.set(sessionId, copies)
    return copies
  }

  #addMessage(sessionId: string, account: string, text: string): void {
    this.#messages.set(sessionId, [...(this.#messages.get(sessionId) ?? []), text])
    const copies = this.#copiesOf(sessionId)
    copies.set(account, [...(copies.get(account) ?? []), text])
  }

  activities(): HostActivities & DrillActivities & ServiceActivities & TaskActivities {
    return {
      ...this.drill.activities(),
      ...this.services.activities(),
      launchAgent: (request) =>
        this.#exclusively(
          request,
          'launchAgent',
          () => this.#launch(request),
          () => this.#carryAll(request),
        ),
      stopAgent: (request) => this.#exclusively(request, 'stopAgent', () => this.#stop(request)),
      interruptAgent: (request) => this.#exclusively(request, 'interruptAgent', () => undefined),
      requestFailback: ({ session }) => {
        this.failingBack.add(session)
        return Promise.resolve()
      },
      watchAgent: (request) => Promise.resolve().then(() => this.#watch(request)),
      deliverText: (request) => this.#deliver(request),
      queuePlannedWakeUp: ({ session, plan }) => this.#claim(session, plan),
      answerQuestion: () => Promise.resolve({ kind: 'gone' as const }),
      recordEvents: ({ events }) => {
        for (const event of events) if (!this.events.has(event.id)) this.events.set(event.id, event)
        return Promise.resolve()
      },
      readAccounts: () => Promise.resolve(this.#readings()),
      sendNotice: (request) => Promise.resolve(this.#notify(request)),
      probeAccount: ({ account }) => this.#probe(account),
    }
  }

  /** A workflow must never launch and stop one session at the same time. */
  async #exclusively<T>(
    ref: SessionRef,
    step: Step,
    work: () => T,
    first: () => Promise<void> = () => Promise.resolve(),
  ): Promise<T> {
    const { session } = ref
    if (this.#inStep.has(session)) this.violations.push(`${step} of ${session} beside another step of it`)
    this.#inStep.add(session)
    try {
      await first()
      await this.#recordCall(step, session, ref.fence, ref.place.name)
      return work()
    } finally {
      this.#inStep.delete(session)
    }
  }

  #failIfAsked(step: Step, account: string): void {
    const failure = this.#failures.findIndex((one) => one.step === step && one.when(account))
    if (failure >= 0) throw this.#failures.splice(failure, 1)[0]!.fault
  }

  async #recordCall(step: Step, session: string, fence: number, account: string): Promise<void> {
    this.calls.push({ step, session, fence, account, at: instant() })
    const stop = this.#holds.get(step)
    if (stop) {
      this.#holds.delete(step)
      const beat = setInterval(() => Context.current().heartbeat(), 1_000)
      stop.arrive()
      await stop.opened
      clearInterval(beat)
    }
    this.#failIfAsked(step, account)
  }

  #launch(request: LaunchRequest): LaunchResult {
    const { session, sessionId, fence, place, prompt, forkOf = null, forks = [] } = request
    const carried = this.#carried.get(session) ?? 0
    this.#carried.delete(session)
    const newest = this.#newestFence.get(session) ?? 0
    if (fence < newest || fence <= (this.#stoppedFence.get(session) ?? -1))
      throw failureFrom(new StaleFenceError(session, fence, newest))
    const live = this.processes.get(session)
    const copies = this.#copiesOf(sessionId)
    if (forkOf !== null && copies.size === 0) this.#fork(session, forkOf, sessionId, place.name)
    const copy = copies.get(place.name)
    const said = this.#messages.get(sessionId) ?? []
    if (said.join() !== (copy ?? []).join())
      this.violations.push(`${session} continues at ${place.name} without all that was said: ${said.join()}`)
    this.launches.push(request)
    this.failingBack.delete(session)
    this.#lastObserved.delete(session)
    this.#newestFence.set(session, fence)
    if (live?.fence !== fence)
      this.processes.set(session, { session, sessionId, fence, account: place.name, pid: ++this.#pids })
    if (prompt !== null) {
      const { text } = prompt
      this.#addMessage(sessionId, place.name, typeof text === 'string' ? text : `what ${text.file} says`)
    }
    const handedOver = forks.filter((fork) => this.#handedOverForks.has(`${sessionId} ${fork}`))
    this.#pendingHandOvers.set(
      session,
      forks.filter((fork) => !handedOver.includes(fork)),
    )
    if (prompt !== null) this.#tellOfForks(session, sessionId)
    return {
      pane: `%${fence}`,
      pid: this.processes.get(session)!.pid,
      tmuxSocket: '/tmux',
      transcript: `/${place.name}/${sessionId}.jsonl`,
      transcriptFrom: 0,
      promptTaken: this.acceptsPrompt,
      settledForks: handedOver,
      pendingInput: this.typedTexts,
      plans: this.dueWakeUps.get(session) ?? [],
      ...(this.off.length === 0 ? {} : { off: this.off }),
      steps: [
        ...Array.from({ length: carried }, () => ({ name: 'carry', ms: 0 })),
        { name: 'respawn', ms: 0 },
      ],
    }
  }

  /** The fork begins with all that was said in the original, which has to be in the place. */
  #fork(session: string, forkOf: string, fork: string, place: string): void {
    const said = this.#messages.get(forkOf) ?? []
    const copy = this.#copiesOf(forkOf).get(place) ?? []
    if (said.join() !== copy.join())
      this.violations.push(`${session} is forked at ${place} without all that was said: ${said.join()}`)
    if (said.length === 0) return
    this.#messages.set(fork, said)
    this.#copiesOf(fork).set(place, said)
  }

  /** The stored hand-over of forks is sent along with the prompt, once. */
  #tellOfForks(session: string, sessionId: string): void {
    for (const fork of this.#pendingHandOvers.get(session) ?? []) {
      this.handedOver.push({ session, to: sessionId, fork })
      this.#handedOverForks.add(`${sessionId} ${fork}`)
    }
    this.#pendingHandOvers.delete(session)
  }

  #stop({ session, fence, closePane }: StopRequest): StopResult {
    const newest = this.#newestFence.get(session) ?? 0
    if (newest > fence) return { steps: [], wasWorking: false }
    this.#stoppedFence.set(session, fence)
    this.#lastObserved.delete(session)
    const live = this.processes.delete(session)
    return {
      steps: [{ name: closePane ? 'stop, close' : 'stop', ms: 0 }],
      wasWorking: live && this.busy.has(session),
    }
  }

  #notify({ notice, channels }: NoticeRequest): NoticeOutcome {
    const heard = channels.filter((channel) => !this.mutedChannels.has(channel))
    this.sentNotices.push(...heard.map((channel) => ({ channel, notice, at: instant() })))
    return {
      failed: channels.flatMap((channel) => (heard.includes(channel) ? [] : [{ channel, why: 'mute' }])),
    }
  }

  /** The host finds each conversation by itself, and carries it to the place of the launch. */
  async #carryAll({ session, sessionId, forkOf = null, fence, place }: LaunchRequest): Promise<void> {
    if (this.#newestFence.get(session) === fence) return
    const isBegun = this.#copiesOf(sessionId).size > 0
    const target = isBegun || forkOf === null ? sessionId : forkOf
    const longest = [...this.#copiesOf(target)].sort(([, a], [, b]) => b.length - a.length)[0]
    if (longest === undefined || longest[1].join() === this.#copiesOf(target).get(place.name)?.join()) return
    await this.#recordCall('carry', session, 0, place.name)
    if (this.processes.has(session)) this.violations.push(`${session} was carried while it was being written`)
    this.#copiesOf(target).set(place.name, longest[1])
    this.#carried.set(session, 1)
  }

  #watch(request: WatchRequest): SessionObservation {
    const { session, fence, place } = request
    this.#failIfAsked('watchAgent', place.name)
    const { activityId, workflowExecution } = Context.current().info
    const key = `${activityId} ${workflowExecution?.runId ?? ''}`
    if (!this.#watched.has(key)) {
      this.#watched.add(key)
      this.watches.push(request)
      this.calls.push({ step: 'watchAgent', session, fence, account: place.name, at: instant() })
    }
    const isSuperseded =
      (this.#newestFence.get(session) ?? 0) > fence || (this.#stoppedFence.get(session) ?? -1) >= fence
    const observation: ScriptedObservation | undefined = isSuperseded
      ? { kind: 'released' }
      : this.#nextSight(request)
    if (observation === undefined) throw retryLater(this.pollEvery)
    return {
      ...observation,
      ...(this.off.length === 0 ? {} : { off: this.off }),
      readings: this.#readings(),
      at: iso(instant()),
      transcriptTo: request.transcriptFrom + 1,
      wasWorking: observation.wasWorking ?? this.busy.has(session),
    }
  }

  /**
   * What the workflow did not receive, since its run ended meanwhile, is still in the transcript from the
   * same point on.
   */
  #nextSight({ session, sessionId, fence, transcriptFrom }: WatchRequest): ScriptedObservation | undefined {
    const from = `${fence} ${sessionId} ${transcriptFrom}`
    const last = this.#lastObserved.get(session)
    if (last?.from === from) return last.observation
    this.#lastObserved.delete(session)
    const observation = this.#observations.get(session)?.shift()
    if (observation !== undefined) this.#lastObserved.set(session, { from, observation })
    return observation
  }

  async #deliver(request: DeliverRequest): Promise<void> {
    const { session, sessionId, fence, messageId, place } = request
    const text = request.text ?? messageId
    if (this.processes.get(session)?.fence !== fence)
      throw failureFrom(new StaleFenceError(session, fence, 0))
    if (this.busy.has(session)) throw retryLater(this.pollEvery)
    this.deliveries.push(request)
    const isFirst = !this.#takenIds.has(messageId)
    if (isFirst) {
      this.delivered.set(session, [...(this.delivered.get(session) ?? []), text])
      this.#addMessage(sessionId, place.name, text)
      this.#tellOfForks(session, sessionId)
    }
    this.#takenIds.add(messageId)
    await this.#recordCall('deliverText', session, fence, place.name)
  }

  /** No longer pending once it was claimed. */
  #claim(session: string, plan: string): Promise<string | null> {
    const dueWakeUps = this.dueWakeUps.get(session) ?? []
    this.dueWakeUps.set(
      session,
      dueWakeUps.filter(({ id }) => id !== plan),
    )
    return Promise.resolve(dueWakeUps.some(({ id }) => id === plan) ? `wake-up ${plan}` : null)
  }

  async #probe(name: string): Promise<AccountReading> {
    await this.#recordCall('probeAccount', '', 0, name)
    const account = this.accounts.get(name)!
    const now = instant()
    return account.isSilent ? unread(name, iso(now)) : account.reading(now, iso(now))
  }

  #readings(): AccountReading[] {
    const now = instant()
    return [
      ...[...this.accounts.values()].map((account) =>
        account.isRead ? account.reading(now, null) : unread(account.name, null),
      ),
      ...[...this.substrates].map(([name, walls]) => ({ ...unread(name, null), walls })),
    ]
  }
}
