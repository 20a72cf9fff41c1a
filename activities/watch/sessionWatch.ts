/** One watched session: what is known of it, and what the workflow has to hear. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { AgentReport, LiveState } from '../../agents/adapter/liveness.js'
import { type ScheduledPrompt, restStateOf, type RunningTask } from '../../policy/session/backgroundTasks.js'
import type { Config } from '../../config/config.js'
import type { Host } from '../../host/host.js'
import { describeExit, type Pane } from '../../host/tmux/panes.js'
import type { PlaceRef, SessionObservation, WatchHeartbeat, WatchRequest } from '../contracts.js'
import type { AskedQuestion } from '../session/askedQuestion.js'
import { DialogState } from './dialogState.js'
import { HangDetector } from './hangDetector.js'
import { recordNewConversation } from './newConversation.js'
import { ReportState } from './reportState.js'
import { TranscriptFollower } from './transcriptFollower.js'
import { outcomeAtTurnEnd } from './turnEnd.js'
import { hookStop, recordTurnFailure, type WatchOutcome } from './turnFailures.js'
import { log } from '../../host/log.js'

/** The agent writes the entry of a failed turn up to 0.2 s after it reported the failure; it is awaited for this long. */
const failureEntryTimeout = 1_500
const failureEntryPollEvery = 10
/** A session at rest that hasn't changed is updated this often: the longest that `pollEvery` may be. */
const idleCheckEvery = 10_000
/** A turn that ended longer ago was not ended because of the limit that is near now. */
const wrappedUpWithin = 60_000

/** What one tick saw of the host. */
export interface HostObservation {
  /** Null when no tmux server answers. */
  panes: Map<string, Pane> | null
  live: Map<number, LiveState>
}

export class SessionWatch {
  readonly name: string
  readonly fence: number
  readonly agent: string
  readonly place: PlaceRef
  readonly ended: Promise<SessionObservation>
  phase: 'working' | 'idle' | 'waiting' = 'working'
  /** What runs in the agent's background while the agent is at rest. */
  background: RunningTask[] = []
  /** When the agent plans to go on by itself, or null. */
  nextWakeUp: string | null = null
  /** When the last heartbeat was sent, ms since the epoch. */
  heartbeatAt = 0
  /** At rest, even if a text would not help, for example because the context is full: a command may. */
  acceptsCommands = false

  readonly #host: Host
  readonly #adapter: AgentAdapter
  readonly #request: WatchRequest
  readonly #heartbeat: (details: WatchHeartbeat) => void
  readonly #reports: ReportState
  readonly #transcript: TranscriptFollower
  readonly #dialog: DialogState
  readonly #hang: HangDetector
  readonly #released = new AbortController()
  #resolve: (observation: SessionObservation) => void = () => undefined
  #hasEnded = false
  #hadTurn = false
  #turnEndedAt = -Infinity
  #updating: Promise<void> | null = null
  #updatedAt = -Infinity
  /** As of the last update. */
  #config: Config | null = null
  /** When the program's own state last changed, as of the last update. */
  #stateAt: string | null = null

  constructor(host: Host, request: WatchRequest, heartbeat: (details: WatchHeartbeat) => void) {
    this.name = request.session
    this.fence = request.fence
    this.agent = request.agent
    this.place = request.place
    if (request.waiting) this.phase = 'waiting'
    this.#host = host
    this.#adapter = host.adapter(request.agent)
    this.#request = request
    this.#heartbeat = heartbeat
    this.#reports = new ReportState(request.sessionId)
    this.#transcript = new TranscriptFollower(host, this.#adapter, request)
    this.#dialog = new DialogState(host, this.#adapter, request)
    this.#hang = new HangDetector(host)
    this.ended = new Promise((resolve) => (this.#resolve = resolve))
  }

  get transcript(): string | null {
    return this.#transcript.path
  }

  get waitingFor(): string | null {
    return this.#dialog.waitingFor
  }

  get question(): AskedQuestion | null {
    return this.#dialog.question
  }

  /** When the program last reported that a prompt was submitted, ms since the epoch. */
  get submittedAt(): number {
    return this.#reports.submittedAt
  }

  sendHeartbeat(): void {
    const { phase, waitingFor, place } = this
    this.heartbeatAt = Date.now()
    const background = this.background.length
    const windows = place.kind === 'account' ? this.#host.quota.read(place.name).windows : []
    this.#heartbeat({ phase, waitingFor, background, account: place.name, windows })
  }

  /** Aborted once another step of this host stops the session, which may be after this watch has ended. */
  get released(): AbortSignal {
    return this.#released.signal
  }

  release(): void {
    this.#released.abort()
    this.end({ kind: 'released' })
  }

  /** `wasInterrupted`: a turn was under way, or failed for the reason that the outcome gives. */
  end(outcome: WatchOutcome, wasInterrupted = this.phase === 'working'): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    // A turn that has just ended near the limit may have been wrapped up early because of it.
    const isWrappedUp = outcome.kind === 'near-limit' && Date.now() - this.#turnEndedAt <= wrappedUpWithin
    this.#resolve({
      transcript: this.transcript,
      ...outcome,
      readings: this.#host.readings(),
      at: new Date().toISOString(),
      transcriptTo: this.#transcript.offset,
      wasWorking: wasInterrupted || isWrappedUp,
    })
  }

  /** Takes a report of this very launch; the update that follows draws the conclusions. */
  applyReport(report: AgentReport): void {
    if (report.kind === 'needs-person') this.#dialog.waitingFor = report.what
    this.#reports.apply(report)
  }

  /** Whether an update could tell anything new: the session is active, has changed, or was not updated for a while. */
  isDue({ panes, live }: HostObservation, now = Date.now()): boolean {
    const { untilTurnEnd, failing, sessionId } = this.#request
    const isAtRest =
      this.phase === 'idle' && !this.#reports.isFailurePending && !untilTurnEnd && failing !== true
    if (!isAtRest || Math.abs(now - this.#updatedAt) >= idleCheckEvery) return true
    const pane = panes?.get(this.name)
    const state = pane && live.get(pane.pid)
    return (
      pane?.fence !== this.fence ||
      pane.dead ||
      state?.activity !== 'idle' ||
      state.sessionId !== sessionId ||
      state.updatedAt !== this.#stateAt ||
      this.#host.config !== this.#config ||
      this.#host.records.isFailbackRequested(this.name, this.fence)
    )
  }

  /** One update at a time: another one that is requested meanwhile follows right after. */
  update(observation: HostObservation): Promise<void> {
    const before = this.#updating ?? Promise.resolve()
    this.#updating = before
      .then(() => (this.#hasEnded ? undefined : this.#evaluate(observation)))
      .catch((error: unknown) => log.error({ err: error }, `session ${this.name} could not be checked`))
    return this.#updating
  }

  async #evaluate({ panes, live }: HostObservation): Promise<void> {
    this.#updatedAt = Date.now()
    this.#config = this.#host.config
    if (this.#isSuperseded()) {
      this.release()
      return
    }
    const pane = panes?.get(this.name)
    if (pane?.fence !== this.fence) {
      this.end({ kind: 'gone', what: panes === null ? 'tmux' : 'pane' }, await this.#wasTurnInterrupted())
      return
    }
    if (this.#reports.newConversation) {
      const { sessionId, transcript, at } = this.#reports.newConversation
      await this.#endWithNewConversation({ sessionId, transcript, since: at })
      return
    }
    await this.#readTranscript()
    if (this.#hasEnded) return
    if (pane.dead) {
      await this.#handleExit(pane)
      return
    }
    const state = live.get(pane.pid) ?? null
    this.#stateAt = state?.updatedAt ?? null
    if (this.#reports.isFailurePending) await this.#awaitFailureEntry()
    const { failure } = this.#transcript
    // The program's state was read before the entry came, and says `busy` as long as a subagent runs: it is not waited for.
    const isTurnOver = this.#reports.hasTurnFailed && failure?.class === 'wall'
    const isBusy = state?.activity === 'busy' && !isTurnOver
    if (failure && !isBusy) {
      this.end(recordTurnFailure(this.#host, this.place, this.#request.model, failure), true)
      return
    }
    if (!state) return this.#handleMissingState(pane)
    if (state.sessionId !== this.#request.sessionId) {
      const { sessionId } = state
      const transcript = await this.#adapter.findTranscript(this.#host.readablePlace(this.place), sessionId)
      await this.#endWithNewConversation({ sessionId, transcript, since: new Date().toISOString() })
      return
    }
    await this.#handleState(pane, state)
  }

  #isSuperseded(): boolean {
    const { records } = this.#host
    const newest = records.newest(this.name)?.fence ?? 0
    return newest > this.fence || records.isStopped(this.name, this.fence)
  }

  async #readTranscript(): Promise<void> {
    const added = await this.#transcript.read()
    if (added === null) return
    this.#hang.recordActivity()
    if (added.last?.kind === 'answer' && this.#request.failing) this.end({ kind: 'answered' })
  }

  /** Waits for the transcript entry that says why the turn failed. */
  async #awaitFailureEntry(): Promise<void> {
    const until = performance.now() + failureEntryTimeout
    while (this.#transcript.failure === null && performance.now() < until) {
      await delay(failureEntryPollEvery)
      await this.#readTranscript()
    }
    this.#reports.isFailurePending = false
  }

  async #endWithNewConversation(found: {
    sessionId: string
    transcript: string | null
    since: string
  }): Promise<void> {
    this.end(await recordNewConversation(this.#host, this.#adapter, this.#request, found))
  }

  async #handleExit(pane: Pane): Promise<void> {
    const { failure } = this.#transcript
    if (failure?.class === 'wall') {
      this.end(recordTurnFailure(this.#host, this.place, this.#request.model, failure), true)
      return
    }
    const byPerson = this.#reports.isEndedByPerson
    this.end({ kind: 'exited', how: describeExit(pane), byPerson }, await this.#wasTurnInterrupted())
  }

  async #wasTurnInterrupted(): Promise<boolean> {
    if (this.#host.knownPlace(this.place) !== null) await this.#readTranscript()
    return this.#transcript.wasTurnInterrupted()
  }

  async #handleState(pane: Pane, state: LiveState): Promise<void> {
    if (state.activity === 'waiting') return this.#handleWaiting(pane, state)
    const { waiting } = this.#request
    const reported = this.#host.backgroundWork.reportedState(this.name, this.fence)
    const rest = restStateOf(state.activity, reported)
    this.background = rest.tasks
    this.nextWakeUp = earliestDueAt(reported.plans)
    const isBusy = !rest.isAtRest
    this.acceptsCommands = !isBusy
    if (waiting?.endsWith === 'turn' && !isBusy) return
    this.#dialog.clear()
    if (!isBusy && this.#hadTurn) this.#turnEndedAt = Date.now()
    this.#hadTurn = isBusy
    this.phase = isBusy ? 'working' : 'idle'
    if (waiting) {
      this.end({ kind: 'not-waiting' })
      return
    }
    if (isBusy) {
      const hang = await this.#hang.check(pane)
      if (hang !== null) this.end({ kind: 'frozen', how: hang })
      return
    }
    this.#hang.recordActivity()
    await this.#transcript.saveProgress()
    const outcome = await this.#outcomeAtRest()
    if (outcome !== null) this.end(outcome)
  }

  async #outcomeAtRest(): Promise<WatchOutcome | null> {
    const { stop, isAnswered } = this.#transcript
    if (stop !== null) return { kind: 'turn-stopped', text: hookStop(stop.hook, stop.reason) }
    if (this.#request.untilTurnEnd && isAnswered) return { kind: 'turn-ended' }
    return outcomeAtTurnEnd(this.#host, this.#request, this.background)
  }

  async #handleWaiting(
    pane: Pane,
    state: Pick<LiveState, 'sessionId' | 'updatedAt' | 'waitingFor'>,
  ): Promise<void> {
    this.phase = 'waiting'
    this.acceptsCommands = false
    const outcome = await this.#dialog.update(pane, state)
    if (outcome !== null) this.end(outcome)
  }

  /** The program has no state file: it is starting, asks something before it has started, or writes no such file. */
  async #handleMissingState(pane: Pane): Promise<void> {
    const waitingFor = await this.#dialog.promptOn(pane)
    if (waitingFor === null) return
    const { sessionId } = this.#request
    await this.#handleWaiting(pane, { sessionId, updatedAt: '', waitingFor })
  }
}

const earliestDueAt = (plans: readonly ScheduledPrompt[]): string | null =>
  plans
    .flatMap(({ dueAt }) => (dueAt === null ? [] : [dueAt]))
    .sort()
    .at(0) ?? null
