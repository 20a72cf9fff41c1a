/** Asking the pool for a place. One request at a time; the pool may answer late, twice or after a restart. */
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account.js'
import { poolWorkflowId } from '../../policy/ids.js'
import type { LeaseGrant, LeaseRefusal, LeaseRelease, LeaseRequest } from '../../policy/lease.js'
import { poolSignals } from '../messages.js'
import { mustRenew, now, show, type Run } from './run.js'
import { type BringUp, onlyAccount, type SessionState } from './state.js'

export type Answer =
  | { kind: 'granted'; grant: LeaseGrant }
  | { kind: 'refused'; refusal: LeaseRefusal }
  /** A person asked for something else meanwhile. */
  | { kind: 'order' }

/** The pool answers in well under a second; a request that it lost is sent again after this. */
const answerWithin = 30_000

/** A move that can wait is given up rather than parked for. */
export const isPlanned = (cause: BringUp['cause']): boolean =>
  cause === 'near-limit' || cause === 'move' || cause === 'home'

/** A session that named no model, and met the wall of one, must not be sent where that model is walled as well. */
function modelsOf({ models }: SessionState, { wall }: BringUp): (string | null)[] {
  if (models.length > 0) return models
  return [wall?.scope.startsWith('model:') ? wall.scope.slice('model:'.length) : null]
}

export function newRequest({ state }: Run, plan: BringUp, readings: AccountReading[]): LeaseRequest {
  state.requests += 1
  const only = plan.pinned ? plan.prefer : onlyAccount(state)
  return {
    requestId: `${state.name}#${state.requests}`,
    session: state.name,
    host: state.host,
    agent: state.agent,
    models: modelsOf(state, plan),
    fallback: state.fallback,
    unfit: state.unfit,
    prefer: only ?? plan.prefer,
    pinned: only !== null,
    exclude: plan.exclude,
    // Only an agent that runs can stay where it is; one that does not has to be brought up somewhere.
    cause: state.pid === null && isPlanned(plan.cause) ? 'wake' : plan.cause,
    from: state.place?.name ?? null,
    priority: state.priority,
    readings,
    at: now(),
  }
}

/** Sends the request and waits for the first word on it. */
export async function ask(run: Run, request: LeaseRequest): Promise<Answer> {
  const { mail } = run
  mail.refusal = null
  for (;;) {
    await signalPool(run, poolSignals.requestLease, request)
    await condition(() => answerTo(run, request) !== null, answerWithin, {
      summary: 'the pool answers; asked again after this',
    })
    const answer = answerTo(run, request)
    if (answer) return answer
  }
}

/** Waits for the pool's next word on a request that it has refused for now, and asks again if there is none in time. */
export async function askAgain(
  run: Run,
  request: LeaseRequest,
  refused: LeaseRefusal,
): Promise<Answer | { kind: 'renew' }> {
  const { mail, state } = run
  mail.refusal = null
  const patience = Math.max(Date.parse(refused.retryAt) - Date.parse(now()), 0) + 2 * state.timing.retryEvery
  await condition(() => answerTo(run, request) !== null || mustRenew(run), patience, {
    summary: `the pool has no place: ${refused.why}`.slice(0, 200),
  })
  const answer = answerTo(run, request)
  if (answer) return answer
  return mustRenew(run) ? { kind: 'renew' } : ask(run, { ...request, readings: [] })
}

function answerTo({ mail }: Run, { requestId }: LeaseRequest): Answer | null {
  if (mail.grant?.requestId === requestId) return { kind: 'granted', grant: mail.grant }
  if (mail.hasOrders()) return { kind: 'order' }
  if (mail.refusal?.requestId === requestId) return { kind: 'refused', refusal: mail.refusal }
  return null
}

/** Gives up the lease, and whatever request of this session the pool still has in its queue. */
export async function release(run: Run, fence: number, fault: string | null): Promise<void> {
  const message: LeaseRelease = { session: run.state.name, fence, fault }
  await signalPool(run, poolSignals.releaseLease, message)
}

/** A pool that is not there is the set-up's fault, not the session's: it waits, and says what is missing. */
async function signalPool(run: Run, name: string, message: LeaseRequest | LeaseRelease): Promise<void> {
  const { state, mail } = run
  for (;;) {
    try {
      await getExternalWorkflowHandle(poolWorkflowId(state.pool)).signal(name, message)
      return
    } catch {
      const attention = `the pool ${state.pool} is not running: start it with outpool up`
      show(run, { attention })
      const interrupted = await condition(() => mail.hasOrders(), state.timing.retryEvery)
      if (state.attention === attention) show(run, { attention: null })
      if (interrupted) return
    }
  }
}
