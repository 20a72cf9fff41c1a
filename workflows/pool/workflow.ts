/** One pool of accounts. policy/pool/transitions.ts makes all decisions; the workflow passes messages on and keeps time. */
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  setHandler,
} from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account/account.js'
import type { PoolSettings } from '../../policy/pool/lease.js'
import { accountsToProbeFirst, ineligibilityFor } from '../../policy/pool/poolView.js'
import * as transitions from '../../policy/pool/transitions.js'
import { livingHost } from '../../policy/notices/hostReport.js'
import { type AccountEligibility, type EligibilityQuery, poolUpdates, sessionSignals } from '../messages.js'
import { now } from '../now.js'
import { commonActivities, probesOn } from '../proxies.js'
import { type CarriedOver, hasGrownLong, initialState, mustRenew } from '../renewal.js'
import type { PoolContext } from './context.js'
import { showPool, waitSummary } from './display.js'
import { PoolHandlers } from './handlers.js'
import { NoticeSender } from './notices.js'
import { sendInBatches, signalSession } from './signals.js'
import { SilenceAnnouncer } from './silence.js'
import { newState, type PoolWorkflowState } from './state.js'
import { appendDecisions } from './decisionLog.js'

/** Time alone changes nothing sooner than this. */
const minWait = 1_000

const millisOr = (at: string | null, otherwise: number): number => (at === null ? otherwise : Date.parse(at))

export async function pool(input: PoolSettings | CarriedOver<PoolWorkflowState>): Promise<never> {
  const state = initialState(input, newState)
  // The run before may have been of an older version, which did not know every setting.
  state.pool = transitions.configure(state.pool, state.pool.settings)
  const handlers = new PoolHandlers(state)
  const notices = new NoticeSender(state, () => handlers.enqueue((pool) => pool))
  const silence = new SilenceAnnouncer(state)
  const ctx: PoolContext = { state, handlers, notices, silence, probing: 0 }
  setHandler(poolUpdates.checkEligibility, (query) => checkEligibility(ctx, query))
  let isTimerDue = false
  for (;;) {
    handlers.applyTransitions()
    const decision = transitions.decide(state.pool, now())
    state.pool = decision.state
    const answered = handlers.answerBatches(decision)
    state.story = appendDecisions(state.story, decision, now())
    showPool(state)
    for (const account of decision.probes) void probe(ctx, account)
    for (const announcement of handlers.takeAnnouncements()) notices.announce(announcement, now())
    notices.review(now())
    silence.review(state.hosts ?? [])
    const sent = await signalSessions(ctx, decision, answered)
    // Not in the middle of a herd, where the next message would arrive before the run has ended.
    if (isTimerDue && sent === 0 && hasGrownLong() && canRenew(ctx)) await renew(ctx)

    isTimerDue = await waitForNext(ctx, decision)
    if (Date.now() >= transitions.reconcileAt(state.pool, state.reconciledAt)) await reconcile(ctx)
    if (mustRenew(ctx) && canRenew(ctx)) await renew(ctx)
  }
}

/** A run must not end before every answer of a host has come back, and every message was applied. */
const canRenew = ({ probing, notices, silence, handlers }: PoolContext): boolean =>
  probing === 0 &&
  !notices.isSending &&
  !silence.isAnnouncing &&
  !handlers.hasMessages() &&
  allHandlersFinished()

const renew = ({ state }: PoolContext): Promise<never> => continueAsNew<typeof pool>({ state })

/** Waits for the next message, or until time alone may change something. True for the latter. */
async function waitForNext(ctx: PoolContext, { nextDecisionAt }: transitions.Decision): Promise<boolean> {
  const { state, handlers, notices } = ctx
  const nextAt = Math.min(
    millisOr(nextDecisionAt, Infinity),
    millisOr(notices.nextReviewAt(), Infinity),
    transitions.reconcileAt(state.pool, state.reconciledAt),
  )
  const wait = Math.max(nextAt - Date.parse(now()), minWait)
  const shouldWake = (): boolean => handlers.hasMessages() || (mustRenew(ctx) && canRenew(ctx))
  if (wait !== Infinity)
    return !(await condition(shouldWake, wait, { summary: waitSummary(state.pool, nextAt, nextDecisionAt) }))
  await condition(shouldWake)
  return false
}

/** Frees the leases of sessions that have ended without a message. */
async function reconcile({ state, handlers }: PoolContext): Promise<void> {
  const summary = 'which sessions run? The leases of others are freed'
  const running = await commonActivities.listRunningSessions.executeWithOptions({ summary }, [
    { pool: state.pool.settings.name },
  ])
  handlers.enqueue((pool, now) => transitions.reconcile(pool, running, now))
  state.reconciledAt = now()
}

async function probe(ctx: PoolContext, account: string): Promise<void> {
  const { state, handlers } = ctx
  state.pool = transitions.probeStarted(state.pool, account, now())
  ctx.probing += 1
  const reading = await probeOn(livingHost(state.pool.settings.host, state.hosts ?? []), account)
  ctx.probing -= 1
  handlers.enqueue((pool, now) => transitions.probeEnded(pool, account, reading, now))
}

/** Null if the probe failed: then nothing is known of the account. */
async function probeOn(host: string, account: string): Promise<AccountReading | null> {
  const summary = `ask ${account} for its usage`
  try {
    return await probesOn(host).probeAccount.executeWithOptions({ summary }, [{ account }])
  } catch (error) {
    if (error instanceof ActivityFailure) return null
    throw error
  }
}

async function checkEligibility(
  ctx: PoolContext,
  { session, model, account }: EligibilityQuery,
): Promise<AccountEligibility[]> {
  const { state, handlers } = ctx
  const names = account === null ? null : [account]
  const stale = accountsToProbeFirst(state.pool, names, now())
  await Promise.all(stale.map((name) => probe(ctx, name)))
  await condition(() => !handlers.hasTransitions())
  const ofPool = state.pool.accounts.filter(({ role, removed }) => role === 'pool' && !removed)
  return (names ?? ofPool.map(({ name }) => name)).map((name) => {
    const ineligible = ineligibilityFor(state.pool, name, session, model, now())
    const { cause = null, wall = null } = ineligible ?? {}
    return { account: name, cause, why: ineligible?.why() ?? null, wall }
  })
}

/** Sends what was decided to the sessions, but for `answered` requests. Returns the number of signals. */
async function signalSessions(
  { state }: PoolContext,
  { grants, denials, failbacks }: transitions.Decision,
  answered: ReadonlySet<string>,
): Promise<number> {
  const signals = [
    ...grants
      .filter(({ grant }) => !answered.has(grant.requestId))
      .map(
        ({ session, grant }) =>
          () =>
            signalSession(session, sessionSignals.leaseGranted, grant),
      ),
    ...denials
      .filter(({ denial }) => !answered.has(denial.requestId))
      .map(
        ({ session, denial }) =>
          () =>
            signalSession(session, sessionSignals.leaseDenied, denial),
      ),
    ...failbacks.map(
      ({ session }) =>
        () =>
          signalSession(session, sessionSignals.failback),
    ),
  ]
  for (const session of await sendInBatches(signals)) state.pool = transitions.withdraw(state.pool, session)
  return signals.length
}
