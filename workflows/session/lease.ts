/** Asking the pool for a place. One request at a time; the pool may answer late, twice or after a restart. */
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account/account.js'
import { poolWorkflowId } from '../../policy/ids.js'
import {
  type LeaseAsk,
  type LeaseGrant,
  type LeaseRefusal,
  type LeaseRelease,
  type LeaseRequest,
  modelsAfter,
} from '../../policy/pool/lease.js'
import { poolSignals } from '../messages.js'
import { mustRenew, now, show, type Run } from './context.js'
import { type BringUp, onlyAccount, plan, type SessionState } from './state.js'

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

export const newRequest = (run: Run, plan: BringUp, readings: AccountReading[]): LeaseRequest => ({
  ...newAsk(run, plan),
  readings,
})

function newAsk({ state }: Run, plan: BringUp): LeaseAsk {
  const requestId = plan.asked ?? nextId(state)
  const only = plan.pinned ? plan.prefer : onlyAccount(state)
  return {
    requestId,
    session: state.name,
    host: state.host,
    cwd: state.cwd,
    ...(plan.despitePages === true ? { despitePages: true } : {}),
    agent: state.agent,
    models: modelsAfter(state.models, plan.wall),
    fallback: state.fallback,
    unfit: state.unfit,
    prefer: only ?? plan.prefer,
    pinned: only !== null,
    exclude: plan.exclude,
    // Only an agent that runs can stay where it is; one that does not has to be brought up somewhere.
    cause: state.pid === null && isPlanned(plan.cause) ? 'wake' : plan.cause,
    from: state.place?.name ?? null,
    priority: state.priority,
    at: now(),
  }
}

function nextId(state: SessionState): string {
  state.requests += 1
  return `${state.name}#${state.requests}`
}

/** What is to be asked for at a wall that may come. It is older than whatever the session asks for itself afterwards. */
export const askAhead = (run: Run): LeaseAsk => newAsk(run, plan('wall'))

/** Sends the request and waits for the first word on it. */
export async function ask(run: Run, request: LeaseRequest): Promise<Answer> {
  run.mail.refusal = null
  for (;;) {
    await signalPool(run, poolSignals.requestLease, request)
    const answer = await firstWord(run, request)
    if (answer) return answer
  }
}

/** The first word on a request that its host has sent already: mostly it came along with what the host saw. */
export async function askedAhead(run: Run, request: LeaseRequest): Promise<Answer> {
  return answerTo(run, request) ?? (await firstWord(run, request)) ?? ask(run, request)
}

async function firstWord(run: Run, request: LeaseRequest): Promise<Answer | null> {
  await condition(() => answerTo(run, request) !== null, answerWithin, {
    summary: 'the pool answers; asked again after this',
  })
  return answerTo(run, request)
}

/**
 * Waits for the pool's next word on a request that it has refused for now, and asks again if there is none in time: with `another`
 * request at `retryAt`, where there is one to be made, else with the same one, which the pool should have answered by then.
 */
export async function askAgain(
  run: Run,
  request: LeaseRequest,
  refused: LeaseRefusal,
  another: (() => LeaseRequest) | null = null,
): Promise<Answer | { kind: 'renew' }> {
  const { mail, state } = run
  mail.refusal = null
  const grace = another === null ? 2 * state.timing.retryEvery : 0
  const patience = Math.max(Date.parse(refused.retryAt) - Date.parse(now()), 0) + grace
  await condition(() => answerTo(run, request) !== null || mustRenew(run), patience, {
    summary: `the pool has no place: ${refused.why}`.slice(0, 200),
  })
  const answer = answerTo(run, request)
  if (answer) return answer
  return mustRenew(run) ? { kind: 'renew' } : ask(run, another?.() ?? { ...request, readings: [] })
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
