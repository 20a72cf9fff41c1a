/** The life of a session: start it, watch it, act on observations and orders, until a person stops it. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow'
import { type AccountReading, withDefaults } from '../../policy/account/account.js'
import type { SessionResult, SessionStart } from '../messages.js'
import { adoptionsOn, launchesOn, sessionStepsOn, watchesOn } from '../proxies.js'
import type { SessionObservation, WatchRequest } from '../../activities/contracts.js'
import { awaitAdoption, leaveToPerson, settleAdoption } from './adoption.js'
import { handleAnswers } from './answers.js'
import { endWatch } from './endWatch.js'
import { ensureRunning } from './ensureRunning.js'
import { deliverTexts } from './deliveries.js'
import { Display } from './display.js'
import { carryEvents, emit, emitParked, flushEvents } from './events.js'
import { isOnFallback } from './forks.js'
import { confirmLease, prepareRequest, releaseLease } from './lease.js'
import { SessionHandlers } from './handlers.js'
import { react } from './react.js'
import { type CarriedOver, initialState, isRestored, mustRenew } from '../renewal.js'
import { type RunningStep, startStep } from '../runningStep.js'
import { currentRef, mayRenew, type SessionContext, show } from './context.js'
import { clearRefusals } from './inbox.js'
import { stopAgent } from './move.js'
import { type StartPlan, isFailing, newState, onlyAccount, newPlan, type SessionState } from './state.js'
import { sessionResult } from './view.js'
import { deliverWakeUps } from './wakeUps.js'
import { pauseUnwatched, clearUnwatched } from './watchFailure.js'

export async function session(input: SessionStart | CarriedOver<SessionState>): Promise<SessionResult> {
  const state = initialState(input, newState)
  state.timing = withDefaults(state.timing)
  // The pool's answers are not carried over: the request is sent again, under a new id.
  delete state.plan?.sentRequestId
  const display = new Display()
  const handlers = new SessionHandlers(state, () => display.show(state))
  const ctx: SessionContext = {
    state,
    handlers,
    display,
    steps: sessionStepsOn(state.host),
    launches: launchesOn(state.host),
    watches: watchesOn(state.host),
    adoptions: adoptionsOn(state.host),
    watch: null,
  }
  handleAnswers(ctx)
  // A task or a drill ends its session by cancelling it: its process must not be left behind unwatched.
  if (workflowInfo().parent !== undefined)
    CancellationScope.current().cancelRequested.catch(() =>
      handlers.orders.push({ kind: 'stop', why: 'stopped by what it was started for' }),
    )
  return CancellationScope.nonCancellable(async () => {
    if (isRestored(input)) await confirmLease(ctx)
    return runUntilStopped(ctx)
  })
}

async function runUntilStopped(ctx: SessionContext): Promise<SessionResult> {
  const { state } = ctx
  const deliveries = new CancellationScope()
  const delivering = deliveries
    .run(() => Promise.all([deliverTexts(ctx), deliverWakeUps(ctx)]))
    .catch((error: unknown) => {
      if (!isCancellation(error)) throw error
    })
  let readings: AccountReading[] = []
  show(ctx)
  while (!isOver(state)) {
    if (ctx.handlers.hasOrders()) {
      await carryOutOrder(ctx)
    } else if (state.paused || state.breaker !== null) {
      await condition(() => ctx.handlers.hasOrders() || mustRenew(ctx))
    } else if (state.adoption !== undefined && state.plan !== null && state.isAdoptionReady !== true) {
      await awaitAdoption(ctx, state.adoption)
    } else if (state.plan) {
      if (state.plan.cause === 'start') readings = await readAccounts(ctx)
      await ensureRunning(ctx, readings)
    } else if (state.adoption !== undefined) {
      await settleAdoption(ctx, state.adoption)
    } else {
      const running = (ctx.watch ??= startWatch(ctx))
      const isFailbackDue = (): boolean => state.isFailbackOffered && isOnFallback(state)
      const shouldWake = (): boolean =>
        running.isOver || isFailbackDue() || ctx.handlers.hasOrders() || mustRenew(ctx)
      await clearUnwatched(ctx, shouldWake)
      await condition(shouldWake)
      const observation = running.outcome?.value ?? null
      if (!running.isOver && isFailbackDue()) {
        await announceFailback(ctx)
      } else if (observation !== null) {
        ctx.watch = null
        readings = observation.readings
        await react(ctx, observation)
      } else if (running.isOver) {
        ctx.watch = null
        await flushEvents(ctx.state)
        await pauseUnwatched(ctx, running.outcome?.failure?.message ?? '')
      }
    }
    const shouldRenew = mustRenew(ctx) || (ctx.watch === null && mayRenew(ctx))
    if (shouldRenew && !ctx.handlers.hasOrders() && !isOver(state)) {
      // The watch has to end before the next run starts its own, which makes the same observations again.
      await ctx.watch?.end()
      deliveries.cancel()
      await delivering
      await condition(allHandlersFinished)
      await continueAsNew<typeof session>({ state })
    }
  }
  deliveries.cancel()
  await delivering
  await condition(allHandlersFinished)
  return sessionResult(state)
}

const readAccounts = ({ steps }: SessionContext): Promise<AccountReading[]> =>
  steps.readAccounts.executeWithOptions({ summary: 'read what this host knows of its accounts' }, [])

/** The watch that runs returns as soon as the session can move. */
async function announceFailback({ state, steps }: SessionContext): Promise<void> {
  state.isFailbackOffered = false
  const summary = 'an account is able again: fail back at the end of the turn'
  await steps.requestFailback.executeWithOptions({ summary }, [currentRef(state)])
}

const isOver = (state: SessionState): boolean => state.phase === 'stopped'

function startWatch(ctx: SessionContext): RunningStep<SessionObservation> {
  const { state, watches } = ctx
  const { runsModel, transcriptFrom, stayUntil, waiting, once } = state
  const request: WatchRequest = {
    ...currentRef(state),
    model: runsModel,
    transcriptFrom,
    stayUntil,
    waiting,
    untilTurnEnd: once ?? false,
    ...(isFailing(state) || state.isAttentionUntilAnswer === true ? { failing: true } : {}),
    leaseRequest: { pool: state.pool, request: prepareRequest(ctx) },
    status: statusLine(state),
  }
  const summary = `watch the agent on ${state.place?.name ?? '?'} until something happens`
  return startStep(() =>
    carryEvents(state, (carried) =>
      watches.watchAgent.executeWithOptions({ summary }, [{ ...request, ...carried }]),
    ),
  )
}

function statusLine({ place, waiting, stayUntil }: SessionState): string {
  if (waiting) return `outpool: waiting: ${waiting.what}`
  if (place?.kind === 'substrate') return `outpool: on ${place.name}, a fallback, until an account is able`
  if (stayUntil) return `outpool: on ${place?.name ?? '?'}, to be left; no better account now`
  return `outpool: on ${place?.name ?? '?'}`
}

/** Carries out the oldest order. */
async function carryOutOrder(ctx: SessionContext): Promise<void> {
  const { state } = ctx
  const order = ctx.handlers.nextOrder()
  switch (order?.kind) {
    case undefined:
      return
    case 'stop':
      await leaveToPerson(ctx)
      emit(state, { kind: 'session-stopped', why: order.why ?? 'stopped by a person' })
      await stopAgent(ctx, order.why ?? 'stopped by a person', { closePane: true, endsMove: true })
      await releaseLease(ctx, state.fence, null)
      show(ctx, {
        phase: 'stopped',
        plan: null,
        parkedUntil: null,
        walledUntil: null,
        attention: null,
        pane: null,
      })
      // A session that was never launched has no step of its stop that takes them along.
      await flushEvents(state)
      return
    case 'release':
      // A fork on a fallback is no conversation of the person's.
      if (state.place?.kind === 'substrate') return
      await endWatch(ctx)
      await release(ctx)
      return
    case 'pause':
      emit(state, { kind: 'session-paused' })
      state.events.parkedSince = null
      await suspend(ctx, 'paused by a person')
      show(ctx, { phase: 'paused', paused: true, breaker: null, attention: null })
      await flushEvents(state)
      return
    case 'breaker-tripped':
      if (state.breaker === null) return
      emitParked(state, 'breaker', { until: null, why: state.breaker.attention })
      await suspend(ctx, 'parked by the breaker')
      show(ctx, { phase: 'parked', attention: state.breaker.attention })
      return
    case 'resume':
      retypeTexts(state)
      if (state.paused || state.breaker !== null)
        show(ctx, { paused: false, phase: 'parked', breaker: null, countedTurns: [], attention: null })
      return
    case 'move': {
      const { to, cause, wall = null, byPerson, mayReturn = false } = order.args
      if (to !== null && to === state.place?.name && !state.plan && !state.paused) return
      const from = state.place?.name
      const mayStay = mayReturn || onlyAccount(state) !== null
      const exclude = cause === 'wall' && from !== undefined && !mayStay ? [from] : []
      state.paused = false
      if (state.breaker !== null) show(ctx, { breaker: null, countedTurns: [] })
      const { turn = 'idle' } = state.plan ?? {}
      state.plan = newPlan(cause, {
        ...{ wall, prefer: to, pinned: to !== null, exclude, turn },
        ...(wall === null ? {} : { evidence: 'pool' }),
        ...(byPerson === true ? { byPerson } : {}),
      })
      return
    }
  }
}

/** Ends the session, and leaves its process, if one runs, to a person. */
async function release(ctx: SessionContext): Promise<void> {
  const { state, adoptions } = ctx
  if (state.plan !== null && state.adoption !== undefined) await leaveToPerson(ctx)
  const summary = 'a person takes the session back'
  const request = { ...currentRef(state), model: state.runsModel }
  emit(state, { kind: 'session-released' })
  state.released = await carryEvents(state, (carried) =>
    adoptions.releaseAgent.executeWithOptions({ summary }, [{ ...request, ...carried }]),
  )
  await releaseLease(ctx, state.fence, null)
  show(ctx, {
    ...{ phase: 'stopped', plan: null, parkedUntil: null, walledUntil: null, attention: null, pane: null },
    why: 'released by a person',
  })
}

/** Stops the process for now. The next start is a wake-up, whatever was planned before. */
async function suspend(ctx: SessionContext, why: string): Promise<void> {
  const { state } = ctx
  const { turn } = await stopAgent(ctx, why, { endsMove: true })
  await releaseLease(ctx, state.fence, null)
  const next: StartPlan = { ...(state.plan ?? newPlan('wake')), cause: 'wake', wasPaused: true }
  if (turn !== 'idle') next.turn = turn
  // A person will have it start again: what failed before must not delay that.
  delete next.failures
  show(ctx, { plan: next, parkedUntil: null, waiting: null })
}

/** A person has looked: texts that were typed in vain may be typed again. */
function retypeTexts(state: SessionState): void {
  clearRefusals(state)
  for (const text of state.inbox)
    if (text.problem !== undefined) {
      delete text.problem
      text.retype = true
    }
}
