/** The messages to a session. Handlers only record them; the session's loop acts. */
import { setHandler } from '@temporalio/workflow'
import { withDefaults } from '../../policy/account/account.js'
import type { LeaseAnswer, LeaseGrant, LeaseDenial } from '../../policy/pool/lease.js'
import { type DeliveryState, type SendArgs, sessionQueries, sessionSignals } from '../messages.js'
import { clearRefusals, isKnownText, withoutContinuations } from './inbox.js'
import type { InboxText, SessionOrder, SessionState } from './state.js'
import { details } from './view.js'

export class SessionHandlers {
  /** Orders of people, oldest first. Part of the state, so that they are carried over at continue-as-new. */
  readonly orders: SessionOrder[]
  grant: LeaseGrant | null = null
  denial: LeaseDenial | null = null
  migrate = false
  /** Whether its host has reported that a blocker is gone. */
  isHostReady = false
  readonly #state: SessionState

  /** `show`: shows the state as it is now. */
  constructor(state: SessionState, show: () => void) {
    this.#state = state
    this.orders = state.orders
    const order = (kind: 'pause' | 'resume' | 'stop' | 'release') => () => {
      this.orders.push({ kind })
    }
    setHandler(sessionSignals.pause, order('pause'))
    setHandler(sessionSignals.resume, order('resume'))
    setHandler(sessionSignals.stop, order('stop'))
    setHandler(sessionSignals.release, order('release'))
    setHandler(sessionSignals.move, (args) => {
      this.orders.push({ kind: 'move', args })
    })
    setHandler(sessionSignals.send, (text) => this.#enqueueText(text))
    setHandler(sessionSignals.leaseGranted, (grant) => this.receiveGrant(grant))
    setHandler(sessionSignals.leaseDenied, (denial) => {
      this.denial = denial
    })
    setHandler(sessionSignals.failback, () => {
      state.isFailbackOffered = true
    })
    setHandler(sessionSignals.hostReady, () => {
      this.isHostReady = true
    })
    setHandler(sessionSignals.hostSilent, (since) => {
      if (since === null) delete state.hostSilentSince
      else state.hostSilentSince = since
      show()
    })
    setHandler(sessionSignals.configure, (timing) => {
      state.timing = withDefaults(timing)
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
    if (isKnownText(state, id)) return
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
    // An offer of a failback from now on is about the new place, even while the agent is still being launched there.
    this.#state.isFailbackOffered = false
  }

  /** Records the answer of the pool that the host got for this session. Returns the id of the request. */
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
