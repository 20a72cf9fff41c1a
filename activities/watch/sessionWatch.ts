/** What is known of one watched session, and what follows from what is seen of it. */
import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAdapter, AgentReport, LiveState, TurnFailure } from '../../agents/agent.js'
import type { AccountReading } from '../../policy/account/account.js'
import { hasSlept } from '../../policy/hostSleep.js'
import { detectHang } from '../../policy/session/hang.js'
import {
  type ScheduledPrompt,
  restStateOf,
  type RunningTask,
  isWaitingForTasks,
} from '../../policy/session/backgroundTasks.js'
import { shouldMove } from '../../policy/session/plannedMove.js'
import { spentBudgetWall } from '../../policy/account/spend.js'
import { moveThreshold } from '../../policy/account/windows.js'
import type { SessionObservation, PlaceRef, WatchRequest } from '../contracts.js'
import { lastTranscript, recordProgress } from '../session/conversation.js'
import type { Host } from '../../host/host.js'
import { hasChildren, isStopped } from '../../host/process/processes.js'
import type { Pane } from '../../host/tmux/panes.js'
import { type AskedQuestion, toAskedQuestion } from '../session/askedQuestion.js'
import { recordTurnFailure, type WatchOutcome } from './turnFailures.js'

/** The agent writes a failed turn's row up to 0.2 s after it reported it; it is looked for this long. */
const failureEntryTimeout = 1_500
const failureEntryPollEvery = 10
/** A dialog takes one key at each look; one that stands after this many is one for a person. */
const maxKeyPresses = 12
/** A session at rest of which nothing has changed is looked at no more often: the longest that `lookEvery` may be. */
const idleCheckEvery = 10_000
/** A dialog counts as waiting for a person once it has stood this long: most are answered at once. */
const waitingAfter = 3_000
/** A turn that ended longer ago was not ended because of the limit that is near now. */
const wrappedUpWithin = 60_000
/** How far a conversation has come is noted at each turn's end, and in a long turn at most this often. */
const saveProgressEvery = 60_000

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
  waitingFor: string | null
  /** Null until it could be seen: the agent writes it with its first prompt. */
  transcript: string | null = null
  /** What runs in its background while it is at rest. */
  background: RunningTask[] = []
  /** When it means to go on by itself, or null. */
  nextWakeUp: string | null = null
  /** What it asks, where its choices can be read. */
  question: AskedQuestion | null = null
  /** When the engine was last told that this watch stands, ms since the epoch. */
  heartbeatAt = 0
  /** At rest, also where no text would help, such as with a full context: a command may. */
  acceptsCommands = false
  /** When the program last reported that a prompt was submitted, ms since the epoch. */
  submittedAt = 0

  readonly #host: Host
  readonly #adapter: AgentAdapter
  readonly #request: WatchRequest
  readonly #heartbeat: (details: unknown) => void
  #resolve: (observation: SessionObservation) => void = () => undefined
  #hasEnded = false
  #offset: number
  #turnFailure: TurnFailure | null = null
  #isFailureReported = false
  #hadTurn = false
  #turnEndedAt = -Infinity
  #progressSavedAt = -Infinity
  #hasUnsavedProgress = true
  #answered = false
  #endedByPerson = false
  #newConversation: Extract<AgentReport, { kind: 'started' }> | null = null
  #waitingSince: number | null = null
  #keyPresses = 0
  #lastActivityAt = Date.now()
  #suspendedMs: number
  #resumedAt = 0
  #updating: Promise<void> | null = null
  #updatedAt = -Infinity
  /** When the program last said something else of itself, as of the last look. */
  #stateAt: string | null = null

  constructor(host: Host, request: WatchRequest, heartbeat: (details: unknown) => void) {
    this.name = request.session
    this.fence = request.fence
    this.agent = request.agent
    this.place = request.place
    this.waitingFor = request.waiting?.what ?? null
    if (request.waiting) this.phase = 'waiting'
    this.#host = host
    this.#suspendedMs = host.suspendClock()
    this.#adapter = host.adapter(request.agent)
    this.#request = request
    this.#heartbeat = heartbeat
    this.#offset = request.transcriptFrom
    this.ended = new Promise((resolve) => (this.#resolve = resolve))
  }

  sendHeartbeat(): void {
    const { phase, waitingFor } = this
    this.heartbeatAt = Date.now()
    const background = this.background.length
    const windows = this.#reading()?.windows ?? []
    this.#heartbeat({ phase, waitingFor, background, account: this.place.name, windows })
  }

  release(): void {
    this.end({ kind: 'released' })
  }

  /** `cutOff`: a turn was under way, or failed on what is told. */
  end(outcome: WatchOutcome, wasInterrupted = this.phase === 'working'): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const readings = this.#host.readings()
    // A turn that has just ended near the limit may have been wrapped up early because of it.
    const isWrappedUp = outcome.kind === 'near-limit' && Date.now() - this.#turnEndedAt <= wrappedUpWithin
    const wasWorking = wasInterrupted || isWrappedUp
    const at = new Date().toISOString()
    this.#resolve({
      transcript: this.transcript,
      ...outcome,
      readings,
      at,
      transcriptTo: this.#offset,
      wasWorking,
    })
  }

  /** Takes a report of this very launch; the look that follows draws the conclusions. */
  applyReport(report: AgentReport): void {
    switch (report.kind) {
      case 'started':
        if (report.sessionId !== this.#request.sessionId) this.#newConversation = report
        break
      case 'turn-started':
        this.#isFailureReported = false
        this.submittedAt = Date.parse(report.at)
        break
      case 'turn-failed':
        // A subagent's wall is told to its parent, which goes on and meets the wall itself.
        if (!report.subagent) this.#isFailureReported = true
        break
      case 'needs-person':
        this.waitingFor = report.what
        break
      case 'ended':
        this.#endedByPerson = ['prompt_input_exit', 'logout'].includes(report.reason)
        break
      case 'turn-ended':
      case 'quota':
        break
    }
  }

  /** Whether a look could tell anything: something is going on or has changed, or it has been left alone for long enough. */
  isDue({ panes, live }: HostObservation, now = Date.now()): boolean {
    const { untilTurnEnd, failing, sessionId } = this.#request
    const isAtRest = this.phase === 'idle' && !this.#isFailureReported && !untilTurnEnd && failing !== true
    if (!isAtRest || Math.abs(now - this.#updatedAt) >= idleCheckEvery) return true
    const pane = panes?.get(this.name)
    const state = pane && live.get(pane.pid)
    return (
      pane?.fence !== this.fence ||
      pane.dead ||
      state?.activity !== 'idle' ||
      state.sessionId !== sessionId ||
      state.updatedAt !== this.#stateAt ||
      this.#host.records.isFailbackRequested(this.name, this.fence)
    )
  }

  /** One look at a time: a look that is asked for meanwhile comes right after. */
  update(observation: HostObservation): Promise<void> {
    const before = this.#updating ?? Promise.resolve()
    this.#updating = before
      .then(() => (this.#hasEnded ? undefined : this.#evaluate(observation)))
      .catch((error: unknown) => console.error(`outpool: ${this.name} could not be looked at:`, error))
    return this.#updating
  }

  async #evaluate({ panes, live }: HostObservation): Promise<void> {
    this.#updatedAt = Date.now()
    if (this.#isSuperseded()) {
      this.release()
      return
    }
    if (panes === null) {
      this.end({ kind: 'gone', what: 'tmux' }, await this.#wasTurnInterrupted())
      return
    }
    const pane = panes.get(this.name)
    if (pane?.fence !== this.fence) {
      this.end({ kind: 'gone', what: 'pane' }, await this.#wasTurnInterrupted())
      return
    }
    if (this.#newConversation) {
      const { sessionId, transcript, at } = this.#newConversation
      await this.#handleNewConversation(sessionId, transcript, at)
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
    const isTurnOver = this.#isFailureReported && (await this.#awaitFailureEntry())
    // What the program said of itself is from before its row came, and often still `busy`: a whole tick would be lost.
    const isBusy = state?.activity === 'busy' && !(isTurnOver && this.#turnFailure?.class === 'wall')
    if (this.#turnFailure && !isBusy) {
      this.#endWithFailure(this.#turnFailure)
      return
    }
    if (!state) return this.#handleMissingState(pane)
    if (state.sessionId !== this.#request.sessionId) {
      const { sessionId } = state
      const transcript = await this.#adapter.findTranscript(this.#host.files(this.place), sessionId)
      await this.#handleNewConversation(sessionId, transcript, new Date().toISOString())
      return
    }
    await this.#handleState(pane, state)
  }

  /** What an older conversation says of walls before the person came to it is another process's: it proves nothing. */
  async #handleNewConversation(sessionId: string, transcript: string | null, since: string): Promise<void> {
    const tail = transcript === null ? null : await this.#adapter.readTail(transcript, 0)
    const failure = tail?.last?.kind === 'fault' ? tail.last.fault : null
    const at = failure?.class === 'wall' ? failure.wall.at : failure?.at
    const isNews = at !== undefined && Date.parse(at) >= Date.parse(since)
    const transcriptFrom = isNews ? 0 : (tail?.offset ?? 0)
    this.#host.records.saveConversation(this.name, this.fence, sessionId, transcriptFrom)
    this.end({ kind: 'renamed', sessionId, transcript, transcriptFrom })
  }

  #isSuperseded(): boolean {
    const { records } = this.#host
    const newest = records.newest(this.name)?.fence ?? 0
    return newest > this.fence || records.isStopped(this.name, this.fence)
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
    this.#waitingSince = null
    this.#keyPresses = 0
    this.waitingFor = null
    this.question = null
    if (!isBusy && this.#hadTurn) this.#turnEndedAt = Date.now()
    this.#hadTurn = isBusy
    this.phase = isBusy ? 'working' : 'idle'
    if (waiting) {
      this.end({ kind: 'not-waiting' })
      return
    }
    if (isBusy) {
      await this.#handleBusy(pane)
      return
    }
    this.#lastActivityAt = Date.now()
    await this.#saveProgress(0)
    if (this.#request.untilTurnEnd && this.#answered) this.end({ kind: 'turn-ended' })
    else await this.#handleTurnEnd()
  }

  async #handleWaiting(pane: Pane, state: LiveState): Promise<void> {
    this.phase = 'waiting'
    this.acceptsCommands = false
    const dialog = this.#adapter.readDialog(await this.#host.tmux.screen(pane.id))
    // The limit menu can stand before a prompt that was never sent: only closing it shows whether the account refuses.
    if (dialog?.safeKeys && this.#keyPresses < maxKeyPresses) {
      this.#keyPresses += 1
      await this.#host.tmux.press(pane.id, dialog.safeKeys)
      return
    }
    const what = dialog?.prompt ?? state.waitingFor ?? 'an answer'
    this.waitingFor = what
    this.question = dialog?.question ? toAskedQuestion(dialog.question, state) : null
    const digest = this.question?.digest ?? null
    this.#waitingSince ??= Date.now()
    const { waiting } = this.#request
    const isNews = what !== waiting?.what || digest !== (waiting.digest ?? null)
    if (isNews && Date.now() - this.#waitingSince >= waitingAfter) this.end({ kind: 'waiting', what, digest })
  }

  /** The program says nothing of itself: it is starting, asks something before it is up, or keeps no such file. */
  async #handleMissingState(pane: Pane): Promise<void> {
    const dialog = this.#adapter.readDialog(await this.#host.tmux.screen(pane.id))
    if (!dialog) return
    await this.#handleWaiting(pane, {
      pid: pane.pid,
      sessionId: this.#request.sessionId,
      activity: 'waiting',
      waitingFor: dialog.prompt,
      updatedAt: '',
    })
  }

  async #handleTurnEnd(): Promise<void> {
    const { stayUntil, model } = this.#request
    const { pool, timing } = this.#host.config
    // It came when it was called and there was no room: the call stands, and is not followed again before that time.
    const isToStay = stayUntil !== null && Date.now() < Date.parse(stayUntil)
    if (!isToStay && this.#host.records.isFailbackRequested(this.name, this.fence)) {
      if (!this.#waitsForBackground() && !(await this.#isPersonTyping()))
        this.end({ kind: 'ready-for-failback' })
      return
    }
    if (this.place.kind === 'substrate') {
      const wall = spentBudgetWall(this.#host.quota.read(this.place.name).windows, new Date().toISOString())
      if (wall !== null) this.end({ kind: 'spent', wall })
      return
    }
    const reading = this.#reading()
    if (!reading) return
    const ceiling = pool.accounts.find(({ name }) => name === this.place.name)?.ceiling ?? 1
    const stay = {
      model,
      stayUntil,
      moveThreshold: moveThreshold(pool.moveAt, ceiling),
      wakeMargin: timing.wakeMargin,
    }
    const leave = shouldMove(reading, stay, new Date().toISOString())
    if (!leave) {
      this.#host.backgroundWork.clearMoveDue(this.name, this.fence)
      return
    }
    if (this.#waitsForBackground() || (await this.#isPersonTyping())) return
    if (leave.cause === 'login') this.end({ kind: 'login', text: leave.why })
    else this.end({ kind: 'near-limit', why: leave.why, wall: leave.wall })
  }

  /** A build, a test run or a subagent is work in progress: a move that can wait does, for so long. */
  #waitsForBackground(): boolean {
    if (this.background.length === 0) return false
    const now = new Date().toISOString()
    const since = this.#host.backgroundWork.moveDueSince(this.name, this.fence, now)
    return isWaitingForTasks(this.background, since, this.#host.config.timing.backgroundWait, now)
  }

  /** A person in the middle of typing is not cut off by a move that can wait. */
  async #isPersonTyping(): Promise<boolean> {
    const lastKey = await this.#host.tmux.lastKeyAt(this.name)
    return lastKey !== null && Date.now() - lastKey < this.#host.config.timing.keysQuiet
  }

  /** Silence of a busy process: a repainting screen tells a hanging request from a process that does nothing any more. */
  async #handleBusy(pane: Pane): Promise<void> {
    const { timing } = this.#host.config
    const now = Date.now()
    const suspendedMs = this.#host.suspendClock()
    if (hasSlept(this.#suspendedMs, suspendedMs)) this.#resumedAt = now
    this.#suspendedMs = suspendedMs
    // Looked at only where it decides: a tool that runs for long says nothing meanwhile.
    if (now - this.#lastActivityAt > timing.hungAfter && (await hasChildren(pane.pid)))
      this.#lastActivityAt = now
    const signs = { now, drawnAt: pane.activeAt, heardAt: this.#lastActivityAt, awakeAt: this.#resumedAt }
    const hang = detectHang({ ...signs, isStopped: isStopped(pane.pid) }, timing)
    if (hang !== null) this.end({ kind: 'frozen', how: hang })
  }

  async #readTranscript(): Promise<void> {
    this.transcript ??= await this.#adapter.findTranscript(
      this.#host.files(this.place),
      this.#request.sessionId,
    )
    if (this.transcript === null || fileSize(this.transcript) <= this.#offset) return
    const forkedAt = this.#host.records.forkedAt(this.name, this.#request.sessionId)
    const tail = await this.#adapter.readTail(this.transcript, this.#offset, forkedAt)
    this.#offset = tail.offset
    this.#hasUnsavedProgress = true
    await this.#saveProgress(saveProgressEvery)
    if (this.place.kind === 'substrate')
      await this.#host.spending.count(this.place.name, this.#adapter, this.transcript, forkedAt)
    this.#lastActivityAt = Date.now()
    if (tail.last?.kind === 'answer' && this.#request.failing) this.end({ kind: 'answered' })
    if (!tail.last) return
    this.#turnFailure = tail.last.kind === 'fault' ? tail.last.fault : null
    this.#answered = tail.last.kind === 'answer'
  }

  /** Whether the row that says why the turn failed is there. */
  async #awaitFailureEntry(): Promise<boolean> {
    const until = performance.now() + failureEntryTimeout
    while (this.#turnFailure === null && performance.now() < until) {
      await delay(failureEntryPollEvery)
      await this.#readTranscript()
    }
    this.#isFailureReported = false
    return this.#turnFailure !== null
  }

  #endWithFailure(failure: TurnFailure): void {
    this.end(recordTurnFailure(this.#host, this.place, this.#request.model, failure), true)
  }

  async #handleExit(pane: Pane): Promise<void> {
    if (this.#turnFailure?.class === 'wall') {
      this.#endWithFailure(this.#turnFailure)
      return
    }
    const how =
      pane.exitSignal !== null ? `signal ${pane.exitSignal}` : `exit status ${pane.exitStatus ?? '?'}`
    this.end({ kind: 'exited', how, byPerson: this.#endedByPerson }, await this.#wasTurnInterrupted())
  }

  /**
   * Whether the process that has gone left work behind. Its transcript tells: what it was last seen to do may be old, and a watch
   * that has just begun has seen nothing. A failed turn that was told of before has had its answer.
   */
  async #wasTurnInterrupted(): Promise<boolean> {
    if (this.#host.filesIfConfigured(this.place) !== null) await this.#readTranscript()
    const transcript = this.transcript ?? (await this.#lastTranscript())
    const end = await recordProgress(
      this.#host,
      this.#adapter,
      this.name,
      this.#request.sessionId,
      transcript,
      true,
    )
    return end?.turn === 'open' || (end?.turn === 'failed' && this.#turnFailure !== null)
  }

  #lastTranscript(): Promise<string | null> {
    return lastTranscript(this.#host, this.#adapter, this.name, this.#request)
  }

  async #saveProgress(every: number): Promise<void> {
    if (!this.#hasUnsavedProgress || Date.now() - this.#progressSavedAt < every) return
    this.#hasUnsavedProgress = false
    this.#progressSavedAt = Date.now()
    await recordProgress(
      this.#host,
      this.#adapter,
      this.name,
      this.#request.sessionId,
      this.transcript,
      false,
    )
  }

  #reading(): AccountReading | null {
    return this.place.kind === 'account' ? this.#host.quota.read(this.place.name) : null
  }
}

const earliestDueAt = (plans: readonly ScheduledPrompt[]): string | null =>
  plans
    .flatMap(({ dueAt }) => (dueAt === null ? [] : [dueAt]))
    .sort()
    .at(0) ?? null

function fileSize(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}
