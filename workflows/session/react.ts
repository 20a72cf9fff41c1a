/** What follows from the observation of a watch: each kind of trouble has its own answer (law 6). */
import { backoff } from '../../policy/backoff.js'
import { crashResponse, shouldInterruptFirst, recentCrashes } from '../../policy/session/crashes.js'
import type { Wall } from '../../policy/account/account.js'
import { questionAttention } from '../../policy/session/question.js'
import type { InterruptRequest, SessionObservation } from '../../activities/contracts.js'
import { later, now } from '../now.js'
import { interruptedText, retryText } from './continuationPrompt.js'
import { emit, emitWaiting, emitWalled, observedEvidence } from './events.js'
import { recordRename } from './forks.js'
import { currentRef, type SessionContext, show } from './context.js'
import { dropStartPrompt, nextText, queueContinuation, withoutContinuations } from './inbox.js'
import { isFailing, noteFeatures, onlyAccount, newPlan, type SessionState, type InboxText } from './state.js'

/** Milliseconds. The watch of a session that waits for one account, whatever else is able, reports near-limit, or that its account is drained, no more often than this. */
const pinnedStayFor = 60 * 60_000

export async function react(ctx: SessionContext, observation: SessionObservation): Promise<void> {
  const { state } = ctx
  state.transcriptFrom = observation.transcriptTo
  state.transcript = observation.transcript ?? state.transcript
  noteFeatures(state, observation.off)
  if (observation.kind !== 'transient' && observation.kind !== 'rollover' && observation.kind !== 'released')
    state.transients = 0
  switch (observation.kind) {
    case 'walled':
      state.plan = newPlan('wall', {
        wall: observation.wall,
        evidence: observedEvidence(state),
        turn: 'cut-off',
        ...(observation.lease ? { sentRequestId: ctx.handlers.receiveAnswer(observation.lease) } : {}),
      })
      emitWalled(state, state.plan)
      return
    case 'near-limit':
      // A pinned session would have to wait for the very account that it leaves.
      if (onlyAccount(state) !== null) {
        state.stayUntil = later(pinnedStayFor)
        return
      }
      state.plan = newPlan('near-limit', {
        wall: observation.wall,
        why: observation.why,
        turn: observation.wasWorking ? 'wrapped-up' : 'idle',
      })
      return
    case 'leaving':
      if (onlyAccount(state) !== null) {
        state.stayUntil = later(pinnedStayFor)
        return
      }
      state.plan = newPlan('move', { why: observation.why, isVoluntary: true })
      return
    case 'login':
      emit(state, { kind: 'session-logged-out', account: state.place?.name ?? null })
      state.plan = newPlan('login', {
        turn: observation.wasWorking ? 'cut-off' : 'idle',
        why: observation.text,
      })
      return
    case 'exited':
      if (observation.byPerson) ctx.handlers.orders.push({ kind: 'stop' })
      else planCrashRestart(state, `the agent ended: ${observation.how}`, observation.wasWorking)
      return
    case 'gone':
      planCrashRestart(
        state,
        `its ${observation.what === 'tmux' ? 'tmux server' : 'pane'} vanished`,
        observation.wasWorking,
      )
      return
    case 'frozen':
      await handleHang(ctx, observation.how)
      return
    case 'transient':
      continueLater(ctx, observation.text)
      return
    case 'turn-stopped':
      stopTurn(ctx, observation.text)
      return
    case 'context':
      emitWaiting(state, 'context')
      showWaitForTurn(ctx, observation.text, 'its context is full: attach to it and /compact or /clear')
      return
    case 'config':
      emitWaiting(state, 'settings')
      showWaitForTurn(ctx, observation.text, `the agent refuses its settings: ${observation.text}`)
      return
    case 'waiting':
      emitWaiting(state, observation.isPermission === true ? 'permission' : 'question')
      show(ctx, {
        phase: 'waiting',
        waiting: { what: observation.what, endsWith: 'dialog', digest: observation.digest ?? null },
        attention: questionAttention(state.name, observation.what, (observation.digest ?? null) !== null),
      })
      return
    case 'not-waiting':
    case 'answered':
      delete state.isAttentionUntilAnswer
      show(ctx, { phase: 'working', waiting: null, attention: null })
      return
    case 'renamed': {
      const { sessionId, transcript, transcriptFrom } = observation
      recordRename(state, sessionId)
      // What the older conversation waited for, such as room in its context, no longer holds.
      const rest = state.waiting === null ? {} : { phase: 'idle' as const, waiting: null, attention: null }
      const inbox = withoutContinuations(state.inbox)
      show(ctx, { transcript, transcriptFrom, inbox, parkedUntil: null, ...rest })
      return
    }
    case 'ready-for-failback':
      state.plan = newPlan('home', { why: 'an account is able again' })
      return
    case 'spent':
      state.plan = newPlan('wall', { wall: observation.wall, evidence: 'budget' })
      emitWalled(state, state.plan)
      return
    case 'unfit':
      markUnfit(state, observation.text, observation.at)
      return
    case 'turn-ended':
      endWork(ctx)
      return
    case 'released':
    case 'rollover':
      return
  }
}

/** Of a session that exists for one piece of work: it ends, unless texts wait. */
export function endWork({ state, handlers }: SessionContext): void {
  dropStartPrompt(state)
  if (state.inbox.length > 0) return
  state.workDone = true
  handlers.orders.push({ kind: 'stop', why: 'its work is done' })
}

/** Recorded for this session alone: other conversations may fit on the substrate. */
export function recordUnfit(state: SessionState): void {
  if (state.place !== null) state.unfit = [...state.unfit, state.place.name]
}

function markUnfit(state: SessionState, text: string, at: string): void {
  recordUnfit(state)
  const wall: Wall = { kind: 'context', scope: 'account', resetsAt: null, evidence: text, at }
  state.plan = newPlan('wall', { wall, evidence: 'context', turn: 'cut-off' })
  emitWalled(state, state.plan)
}

/** Resumes on the same account after a growing pause, and after a longer rest if the agent keeps crashing. */
function planCrashRestart(state: SessionState, why: string, wasWorking: boolean): void {
  state.crashes = recentCrashes([...state.crashes, now()], now(), state.timing)
  const next = crashResponse(state.name, state.crashes, now(), state.timing)
  state.pid = null
  state.attention = next.kind === 'rest' ? `${why}. ${next.attention}` : null
  const notBefore = next.kind === 'rest' ? next.until : later(next.afterMs)
  const prefer = state.place?.kind === 'account' ? state.place.name : null
  const account = state.place?.name ?? null
  const { length: crashes } = state.crashes
  emit(state, { kind: 'session-crashed', account, how: why, crashes, retryAt: notBefore })
  state.plan = newPlan('crash', { prefer, turn: wasWorking ? 'cut-off' : 'idle', why, notBefore })
}

/** The mildest remedy first: a key and a text keep the process; it is killed only if they do not help. */
async function handleHang(
  ctx: SessionContext,
  how: Extract<SessionObservation, { kind: 'frozen' }>['how'],
): Promise<void> {
  const { state, steps } = ctx
  const hung = { kind: 'session-hung', account: state.place?.name ?? null, how } as const
  if (!shouldInterruptFirst(how, state.interruptedAt, now(), state.timing)) {
    // The process still runs: it has to be stopped, even if the session is parked next.
    const { pid } = state
    emit(state, { ...hung, remedy: 'restart' })
    planCrashRestart(state, `frozen: ${how}`, true)
    state.pid = pid
    return
  }
  emit(state, { ...hung, remedy: how === 'stopped' ? 'continue' : 'interrupt' })
  state.interruptedAt = now()
  const summary =
    how === 'stopped' ? 'the process was suspended: continue it' : 'the request hangs: interrupt it'
  const request: InterruptRequest = { ...currentRef(state), how }
  await steps.interruptAgent.executeWithOptions({ summary }, [request])
  if (how === 'stopped') return
  const id = `hung-${state.fence}-${state.interruptedAt}`
  queueContinuation(state, {
    id,
    text: interruptedText,
    cause: 'continuation',
    skipIfPromptedAfter: state.transcriptFrom,
  })
}

/** The agent has given up retrying. It is told to go on after a pause, in which the trouble may pass. */
function continueLater(ctx: SessionContext, text: string): void {
  const { state } = ctx
  state.transients += 1
  const { retryEvery, retryMaxInterval } = state.timing
  const pause = backoff(state.transients, { base: retryEvery, cap: retryMaxInterval }, state.name)
  const at = later(pause)
  const continuation: InboxText = {
    ...{ id: `go-on-${state.fence}-${now()}`, text: retryText, notBefore: at },
    ...{ cause: 'retry', skipIfPromptedAfter: state.transcriptFrom },
  }
  queueContinuation(state, continuation)
  const attention = `look at it with outpool attach ${state.name}: its turns keep failing: ${text}`
  const pausedUntil = nextText(state) === continuation ? at : null
  show(ctx, { phase: 'idle', parkedUntil: pausedUntil, attention: isFailing(state) ? attention : null })
}

/** The person's own hook has decided that the agent does not go on, so nothing tells it to. The attention ends with the next answer. */
function stopTurn(ctx: SessionContext, text: string): void {
  const { state } = ctx
  emit(state, { kind: 'session-turn-stopped', account: state.place?.name ?? null })
  if (state.once === true) {
    ctx.handlers.orders.push({ kind: 'stop', why: text })
    return
  }
  state.isAttentionUntilAnswer = true
  show(ctx, {
    phase: 'idle',
    attention: `${text}; tell it how to go on, for instance with outpool send ${state.name}`,
  })
}

function showWaitForTurn(ctx: SessionContext, text: string, attention: string): void {
  show(ctx, { phase: 'waiting', waiting: { what: text, endsWith: 'turn' }, attention })
}
