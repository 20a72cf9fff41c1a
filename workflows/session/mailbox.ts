/** What others tell a session. Handlers only take note; the session's loop acts. */
import { defineQuery, defineSignal, setHandler } from '@temporalio/workflow'
import type { LeaseGrant, LeaseRefusal } from '../../policy/lease.js'
import type { SessionDetails } from '../../policy/session.js'
import { type Backlog, type MoveArgs, type SendArgs, sessionQueries, sessionSignals } from '../messages.js'
import { details, type Order, type SessionState } from './state.js'

export class Mailbox {
  /** What people asked for, oldest first. Kept in the state: an order must survive the cutting of the history. */
  readonly orders: Order[]
  grant: LeaseGrant | null = null
  refusal: LeaseRefusal | null = null
  migrate = false

  constructor(state: SessionState) {
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
    setHandler(defineSignal<[SendArgs]>(sessionSignals.send), (text) => {
      const isKnown = state.taken.includes(text.id) || state.inbox.some(({ id }) => id === text.id)
      if (!isKnown) state.inbox.push(text)
    })
    setHandler(defineSignal<[LeaseGrant]>(sessionSignals.leaseGranted), (grant) => {
      if (grant.fence <= (this.grant?.fence ?? state.fence)) return
      this.grant = grant
      // A call from now on is one from the new place, even while the agent is still being launched there.
      state.isCalledHome = false
    })
    setHandler(defineSignal<[LeaseRefusal]>(sessionSignals.leaseRefused), (refusal) => {
      this.refusal = refusal
    })
    setHandler(defineSignal(sessionSignals.callHome), () => {
      state.isCalledHome = true
    })
    setHandler(defineSignal(sessionSignals.migrate), () => {
      this.migrate = true
    })
    setHandler(defineQuery<SessionDetails>(sessionQueries.describe), () => details(state))
    setHandler(defineQuery<boolean, [string]>(sessionQueries.delivered), (id) => state.taken.includes(id))
    setHandler(defineQuery<Backlog>(sessionQueries.backlog), () => ({
      texts: state.inbox.length,
      characters: state.inbox.reduce((sum, { text }) => sum + (text?.length ?? 0), 0),
    }))
  }

  hasOrders(): boolean {
    return this.orders.length > 0
  }

  takeOrder(): Order | null {
    return this.orders.shift() ?? null
  }
}
