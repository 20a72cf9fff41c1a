/** The messages to a pool. Handlers only queue transitions of its state; the pool's loop applies them, then decides. */
import { condition, setHandler } from '@temporalio/workflow'
import { type HostReport, withReport } from '../../policy/notices/hostReport.js'
import type { Announcement } from '../../policy/notices/notice.js'
import type { LeaseAnswer, LeaseBatch } from '../../policy/pool/lease.js'
import { poolView } from '../../policy/pool/poolView.js'
import * as transitions from '../../policy/pool/transitions.js'
import { poolQueries, poolSignals, poolUpdates } from '../messages.js'
import { now } from '../now.js'
import type { PoolWorkflowState } from './state.js'

type Transition = (pool: transitions.PoolState, now: string) => transitions.PoolState

/** The requests of one host, which waits for the answers. */
interface PendingBatch {
  requests: LeaseBatch['requests']
  answers: (LeaseAnswer | null)[] | null
}

export class PoolHandlers {
  migrate = false
  readonly #state: PoolWorkflowState
  #transitions: Transition[] = []
  #announcements: Announcement[] = []
  #reports: HostReport[] = []
  #batches: PendingBatch[] = []

  constructor(state: PoolWorkflowState) {
    this.#state = state
    setHandler(poolSignals.configure, (settings) =>
      this.enqueue((pool) => transitions.configure(pool, settings)),
    )
    setHandler(poolSignals.requestLease, (request) =>
      this.enqueue((pool, now) => transitions.requestLease(pool, request, now)),
    )
    setHandler(poolSignals.releaseLease, (release) =>
      this.enqueue((pool, now) =>
        release.failure === null
          ? transitions.withdraw(pool, release.session)
          : transitions.releaseLease(pool, release, now),
      ),
    )
    setHandler(poolSignals.confirmLease, (held) =>
      this.enqueue((pool, now) => transitions.confirmLease(pool, held, now)),
    )
    setHandler(poolSignals.simulateWall, (wall) =>
      this.enqueue((pool, now) => transitions.simulateWall(pool, wall, now)),
    )
    setHandler(poolSignals.liftWall, (session) => this.enqueue((pool) => transitions.liftWall(pool, session)))
    setHandler(poolSignals.announce, (announcement) => void this.#announcements.push(announcement))
    setHandler(poolSignals.reportHost, (report) => void this.#reports.push(report))
    setHandler(poolSignals.migrate, () => void (this.migrate = true))
    setHandler(poolQueries.describe, () => poolView(state.pool))
    setHandler(poolUpdates.requestLeases, async ({ requests, readings }) => {
      this.enqueue((pool, now) => transitions.requestBatch(pool, { requests, readings }, now))
      const batch: PendingBatch = { requests, answers: null }
      this.#batches.push(batch)
      await condition(() => batch.answers !== null)
      return batch.answers ?? []
    })
  }

  enqueue(transition: Transition): void {
    this.#transitions.push(transition)
  }

  hasTransitions(): boolean {
    return this.#transitions.length > 0
  }

  hasMessages(): boolean {
    return this.hasTransitions() || this.#announcements.length > 0 || this.#reports.length > 0
  }

  applyTransitions(): void {
    for (const transition of this.#transitions) this.#state.pool = transition(this.#state.pool, now())
    this.#transitions = []
    this.#state.hosts = this.#reports.reduce(withReport, this.#state.hosts ?? [])
    this.#reports = []
  }

  takeAnnouncements(): Announcement[] {
    const announcements = this.#announcements
    this.#announcements = []
    return announcements
  }

  /** Answers the updates that wait for the decision. Returns the ids of their requests: these need no signal. */
  answerBatches(decision: transitions.Decision): ReadonlySet<string> {
    const batches = this.#batches
    this.#batches = []
    for (const batch of batches)
      batch.answers = batch.requests.map((request) => transitions.answerFor(request, decision))
    return new Set(batches.flatMap(({ requests }) => requests.map(({ requestId }) => requestId)))
  }
}
