/** What others tell a session. Handlers only take note; the session's loop acts. */
import { defineQuery, defineSignal, setHandler } from '@temporalio/workflow'
import type { LeaseAnswer, LeaseGrant, LeaseRefusal } from '../../policy/pool/lease.js'
import type { SessionDetails } from '../../policy/session/session.js'
import {
  type Backlog,
  type DeliveryQuery,
  type DeliveryState,
  type MoveArgs,
  type SendArgs,
  sessionQueries,
  sessionSignals,
} from '../messages.js'
import {
  clearRefusals,
  details,
  type Order,
  type SessionState,
  type Text,
  withoutContinuations,
} from './state.js'

export class Mailbox {
  /** What people asked for, oldest first. Kept in the state: an order must survive the cutting of the history. */
  readonly orders: Order[]
  grant: LeaseGrant | null = null
  refusal: LeaseRefusal | null = null
  migrate = false
  /** What kept its host from starting it may be gone. */
  isHostReady = false
  readonly #state: SessionState

  constructor(state: SessionState) {
    this.#state = state
    this.orders = state.orders
    const order = (kind: 'pause' | 'resume' | 'stop') => () => {
      this.orders.push({ kind })
    }
    setHandler(defineSignal(sessionSignals.pause), order('pause'))
    setHandler(defineSignal(sessionSignals.resume), order('resume'))
    setHandler(defineSignal(sessionSignals.stop), order('stop'))
    setHandler(defineSignal<[MoveArgs]>(sessionSignals.move), (args) => {
      this.orders.push({ kind: 'move', args })
    })
    setHandler(defineSignal<[SendArgs]>(sessionSignals.send), (text) => this.#takeText(text))
    setHandler(defineSignal<[LeaseGrant]>(sessionSignals.leaseGranted), (grant) => this.takeGrant(grant))
    setHandler(defineSignal<[LeaseRefusal]>(sessionSignals.leaseRefused), (refusal) => {
      this.refusal = refusal
    })
    setHandler(defineSignal(sessionSignals.callHome), () => {
      state.isCalledHome = true
    })
    setHandler(defineSignal(sessionSignals.hostReady), () => {
      this.isHostReady = true
    })
    setHandler(defineSignal(sessionSignals.migrate), () => {
      this.migrate = true
    })
    setHandler(defineQuery<SessionDetails>(sessionQueries.describe), () => details(state))
    setHandler(defineQuery<DeliveryState, [DeliveryQuery]>(sessionQueries.delivered), (id) =>
      deliveryOf(state, id),
    )
    setHandler(defineQuery<Backlog>(sessionQueries.backlog), () => ({
      texts: state.inbox.length,
      characters: state.inbox.reduce((sum, { text }) => sum + (text?.length ?? 0), 0),
    }))
  }

  #takeText({ id, text, command, byTask = false }: SendArgs): void {
    const state = this.#state
    if (state.taken.includes(id) || state.inbox.some((known) => known.id === id)) return
    if (!byTask) clearRefusals(state)
    const added: Text = {
      ...{ id, text },
      ...(command === true ? { command } : {}),
      ...(byTask ? { cause: 'task' as const } : {}),
    }
    state.inbox = [...(byTask ? state.inbox : withoutContinuations(state.inbox)), added]
  }

  takeGrant(grant: LeaseGrant): void {
    if (grant.fence <= (this.grant?.fence ?? this.#state.fence)) return
    this.grant = grant
    // A call from now on is one from the new place, even while the agent is still being launched there.
    this.#state.isCalledHome = false
  }

  /** What the pool told the host of this session. Answers the id of the request. */
  takeAnswer(answer: LeaseAnswer): string {
    switch (answer.kind) {
      case 'granted':
        this.takeGrant(answer.grant)
        return answer.grant.requestId
      case 'refused':
        this.refusal = answer.refusal
        return answer.refusal.requestId
      case 'queued':
        return answer.requestId
    }
  }

  hasOrders(): boolean {
    return this.orders.length > 0
  }

  takeOrder(): Order | null {
    return this.orders.shift() ?? null
  }
}

function deliveryOf({ taken, inbox, refused = [] }: SessionState, id: string): DeliveryState {
  const known = inbox.find((text) => text.id === id) ?? refused.find((text) => text.id === id)
  return { taken: taken.includes(id), problem: known?.problem ?? null }
}
