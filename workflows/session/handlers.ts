/** What others tell a session. Handlers only take note; the session's loop acts. */
import { setHandler } from '@temporalio/workflow'
import type { LeaseAnswer, LeaseGrant, LeaseDenial } from '../../policy/pool/lease.js'
import { type DeliveryState, type SendArgs, sessionQueries, sessionSignals } from '../messages.js'
import {
  clearRefusals,
  details,
  type SessionOrder,
  type SessionState,
  type InboxText,
  withoutContinuations,
} from './state.js'

export class SessionHandlers {
  /** What people asked for, oldest first. Kept in the state: an order must survive the cutting of the history. */
  readonly orders: SessionOrder[]
  grant: LeaseGrant | null = null
  denial: LeaseDenial | null = null
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
    setHandler(sessionSignals.pause, order('pause'))
    setHandler(sessionSignals.resume, order('resume'))
    setHandler(sessionSignals.stop, order('stop'))
    setHandler(sessionSignals.move, (args) => {
      this.orders.push({ kind: 'move', args })
    })
    setHandler(sessionSignals.send, (text) => this.#enqueueText(text))
    setHandler(sessionSignals.leaseGranted, (grant) => this.receiveGrant(grant))
    setHandler(sessionSignals.leaseDenied, (refusal) => {
      this.denial = refusal
    })
    setHandler(sessionSignals.failback, () => {
      state.isFailbackOffered = true
    })
    setHandler(sessionSignals.hostReady, () => {
      this.isHostReady = true
    })
    setHandler(sessionSignals.migrate, () => {
      this.migrate = true
    })
    setHandler(sessionQueries.describe, () => details(state))
    setHandler(sessionQueries.deliveryState, (id) => deliveryOf(state, id))
    setHandler(sessionQueries.backlog, () => ({
      texts: state.inbox.length,
      characters: state.inbox.reduce((sum, { text }) => sum + (text?.length ?? 0), 0),
    }))
  }

  #enqueueText({ id, text, command, byTask = false }: SendArgs): void {
    const state = this.#state
    if (state.takenTexts.includes(id) || state.inbox.some((known) => known.id === id)) return
    if (!byTask) clearRefusals(state)
    const added: InboxText = {
      ...{ id, text },
      ...(command === true ? { command } : {}),
      ...(byTask ? { cause: 'task' as const } : {}),
    }
    state.inbox = [...(byTask ? state.inbox : withoutContinuations(state.inbox)), added]
  }

  receiveGrant(grant: LeaseGrant): void {
    if (grant.fence <= (this.grant?.fence ?? this.#state.fence)) return
    this.grant = grant
    // A call from now on is one from the new place, even while the agent is still being launched there.
    this.#state.isFailbackOffered = false
  }

  /** What the pool told the host of this session. Answers the id of the request. */
  receiveAnswer(answer: LeaseAnswer): string {
    switch (answer.kind) {
      case 'granted':
        this.receiveGrant(answer.grant)
        return answer.grant.requestId
      case 'refused':
        this.denial = answer.denial
        return answer.denial.requestId
      case 'queued':
        return answer.requestId
    }
  }

  hasOrders(): boolean {
    return this.orders.length > 0
  }

  nextOrder(): SessionOrder | null {
    return this.orders.shift() ?? null
  }
}

function deliveryOf({ takenTexts, inbox, refused = [] }: SessionState, id: string): DeliveryState {
  const known = inbox.find((text) => text.id === id) ?? refused.find((text) => text.id === id)
  return { taken: takenTexts.includes(id), problem: known?.problem ?? null }
}
