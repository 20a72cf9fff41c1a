/** One move, as a saga: stop, carry, launch, verify, commit. Every step is idempotent per fence. */
import { ActivityFailure, CancellationScope } from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account/account.js'
import type { LeaseGrant } from '../../policy/pool/lease.js'
import { isSamePlace, type PlaceRef } from '../../policy/session/place.js'
import type { RescueStep } from '../../policy/session/session.js'
import type { LaunchRequest, SessionRef, StopRequest } from '../../activities/contracts.js'
import { failureKinds } from '../../policy/failureKinds.js'
import { now } from '../now.js'
import { failureOf, type StepFailure } from '../stepFailures.js'
import { continuationPrompt, type TurnState } from './continuationPrompt.js'
import { formatTime } from './display.js'
import { awaitWatch } from './endWatch.js'
import { carryEvents } from './events.js'
import { completeFailback, conversationAt, forkFor } from './forks.js'
import { currentRef, type SessionContext, show } from './context.js'
import { queueStartPrompt, queueTyped, recordRefusal } from './inbox.js'
import { noteFeatures, type StartPlan, type SessionState } from './state.js'

/** Why a move did not succeed. */
export interface MoveFailure extends StepFailure {
  /** What the host has learnt of the account by the failure. */
  readings: AccountReading[]
}

interface StoppedAgent {
  /** How its turn was left. */
  turn: TurnState
  steps: RescueStep[]
}

/** Stops the agent, and with it its watch. Retried until it has ended, since no other process may be started before. */
export async function stopAgent(
  ctx: SessionContext,
  why: string,
  how: StopOptions = {},
): Promise<StoppedAgent> {
  const { state, steps } = ctx
  if (state.fence === 0) return { turn: 'idle', steps: [] }
  const summary = `stop the agent: ${why}`
  const request = stopRequest(state, why, how)
  const stopped = await carryEvents(state, (carried) =>
    steps.stopAgent.executeWithOptions({ summary }, [{ ...request, ...carried }]),
  )
  state.pid = null
  const turn = await awaitWatch(ctx)
  return { turn: stopped.wasWorking ? 'cut-off' : turn, steps: stopped.steps }
}

type StopOptions = Partial<Pick<StopRequest, 'closePane' | 'endsMove' | 'keepsDraft'>>

const stopRequest = (state: SessionState, why: string, how: StopOptions = {}): StopRequest => ({
  ...currentRef(state),
  closePane: false,
  ...how,
  status: why,
})

/** Moves the session to the leased place. Returns null if it runs there, else why not; then no process of it runs. */
export async function moveTo(
  ctx: SessionContext,
  plan: StartPlan,
  grant: LeaseGrant,
  log: RescueStep[],
): Promise<MoveFailure | null> {
  const { state, steps, launches } = ctx
  const from = state.place
  const to = grant.place
  const isOnAccount = to.kind === 'account'
  // The request may have named the model of a wall. A session without models of its own runs the agent's default.
  const model = isOnAccount && state.models.length === 0 ? null : grant.model
  const compensations: (() => Promise<void>)[] = []
  const { pid, fork } = state
  // Of a hanging program no draft can be read, and it has to be ended all the same.
  const keepsDraft = plan.cause !== 'crash'
  try {
    const why = `${moveReason(plan, from)}, moving to ${to.name}`
    let stopFirst: StopRequest | null = null
    if (state.pid !== null && plan.turn === 'cut-off') {
      stopFirst = stopRequest(state, why, { keepsDraft })
      state.pid = null
    } else if (state.pid !== null) {
      // The next prompt depends on the state of the turn, which is known once the agent has been stopped.
      const stopped = await stopAgent(ctx, why, { keepsDraft })
      if (stopped.turn !== 'idle') plan.turn = stopped.turn
      log.push(...stopped.steps)
    }
    if (!isOnAccount) state.fork = forkFor(state)
    const ref = { ...currentRef(state), fence: grant.fence, place: to, sessionId: conversationAt(state, to) }
    // Registered before the launch, since a launch whose answer is lost may have happened.
    compensations.push(async () => {
      const summary = `undo the launch under ${to.name}`
      await steps.stopAgent.executeWithOptions({ summary }, [{ ...ref, closePane: false, status: summary }])
    })
    const summary = launchSummary(plan, grant, from)
    const request = launchRequest(ctx, plan, ref, model)
    const launched = await carryEvents(state, (carried) =>
      launches.launchAgent.executeWithOptions({ summary }, [
        { ...request, ...(stopFirst === null ? {} : { stop: stopFirst }), ...carried },
      ]),
    )
    log.push(...launched.steps)
    const { pane, pid, tmuxSocket, transcript, transcriptFrom } = launched
    assign(state, { pane, pid, tmuxSocket, transcript, transcriptFrom })
    if (!isSamePlace(from, to) || state.since === null) state.since = now()
    assign(state, { place: to, why: grant.why, fence: grant.fence, stayUntil: null })
    state.runsModel = model
    // If a person moves a pinned session, it is pinned to the new account from now on.
    if (isOnAccount && state.pinned) state.account = to.name
    if (isOnAccount) completeFailback(state, to, launched.settledForks)
    noteFeatures(state, launched.off)
    if (launched.promptTaken) state.firstPrompt = null
    else if (launched.promptRefused === undefined && state.firstPrompt === null && request.prompt?.otherwise)
      queueStartPrompt(state, request.prompt.otherwise)
    if (launched.promptRefused !== undefined) {
      state.firstPrompt = null
      recordRefusal(state, 'prompt', launched.promptRefused, 'its first prompt was not taken')
    }
    queueTyped(state, launched.pendingInput)
    state.plannedWakeUps = launched.plans
    return null
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    const failure = moveFailureOf(error)
    if (failure.kind === failureKinds.draftUnreadable) {
      // Nothing was launched, and the agent runs on.
      assign(state, { pid, fork })
      return failure
    }
    await CancellationScope.nonCancellable(async () => {
      for (const compensate of compensations.reverse()) await compensate()
    })
    return failure
  }
}

/** As Object.assign, with the keys checked. */
function assign(state: SessionState, change: Partial<SessionState>): void {
  Object.assign(state, change)
}

/** The conversation that was written last, and its transcript, as far as the engine knows. */
function lastWrittenConversation(state: SessionState): NonNullable<LaunchRequest['lastWritten']> | null {
  const { place, transcript } = state
  return place === null || transcript === null
    ? null
    : { sessionId: conversationAt(state, place), transcript }
}

function launchRequest(
  { state }: SessionContext,
  plan: StartPlan,
  ref: SessionRef,
  model: string | null,
): LaunchRequest {
  const { place } = ref
  const continuation = continuationPrompt({
    ...{ situation: plan.wasPaused ? 'pause' : plan.cause, turn: plan.turn, on: place.kind },
    isElsewhere: !isSamePlace(state.place, place),
  })
  const { firstPrompt, forks, fork, sessionId } = state
  const prompt =
    firstPrompt !== null
      ? { text: firstPrompt, otherwise: continuation }
      : continuation === null
        ? null
        : { text: continuation, otherwise: continuation }
  const mode = state.continues || state.place !== null ? 'resume' : 'new'
  const isOnAccount = place.kind === 'account'
  return {
    ...ref,
    model,
    mode,
    lastWritten: lastWrittenConversation(state),
    forkOf: isOnAccount ? null : sessionId,
    forks: isOnAccount && fork !== null ? [...forks, fork.id] : forks,
    prompt,
    ...(state.adoption === undefined ? {} : { adopt: state.adoption }),
    ...(plan.allowOpenPage === true ? { allowOpenPage: true } : {}),
    status: `outpool: on ${place.name}`,
  }
}

function launchSummary(plan: StartPlan, { place, why }: LeaseGrant, from: PlaceRef | null): string {
  const { name } = place
  const carry = from === null || isSamePlace(from, place) ? null : `carry the conversation from ${from.name}`
  const reason = why.startsWith(name) ? why : `${name}: ${why}`
  const launch = `${plan.cause === 'start' ? 'start' : 'respawn'} under ${reason}`
  return [carry, launch]
    .filter((part) => part !== null)
    .join(', ')
    .slice(0, 200)
}

/** Why the session moves, for the Web UI. */
function moveReason({ cause, wall }: StartPlan, from: PlaceRef | null): string {
  if (!wall) return cause
  const scope = wall.scope === 'account' ? '' : ` for ${wall.scope}`
  return `${from?.name ?? 'its account'} is walled${scope} (${wall.kind}, until ${formatTime(wall.resetsAt)})`
}

function moveFailureOf(error: ActivityFailure): MoveFailure {
  const failure = failureOf(error)
  const isPage = failure.kind === failureKinds.pageOpen
  return { ...failure, readings: isPage ? (failure.details as AccountReading[]) : [] }
}

/** Shows in the engine that a move is under way. */
export function showMove(ctx: SessionContext, plan: StartPlan): void {
  show(ctx, {
    phase: plan.cause === 'start' ? 'starting' : 'rescuing',
    attention: null,
    waiting: null,
    walledUntil: plan.wall?.resetsAt ?? null,
  })
}
