/** The saga of one move: stop, carry, respawn, verify, commit. Every step is idempotent per fence. */
import { ActivityFailure, ApplicationFailure, CancellationScope } from '@temporalio/workflow'
import { continuation } from '../../policy/continuation.js'
import type { LeaseGrant } from '../../policy/lease.js'
import type { RescueStep } from '../../policy/session.js'
import type { LaunchRequest, PlaceRef, SessionRef, Stopped } from '../../activities/contracts.js'
import { clock } from './display.js'
import { currentRef, type Run, show } from './run.js'
import type { BringUp } from './state.js'

/** Why a move did not succeed, with the failing step's own words. */
export interface MoveFault {
  type: string
  message: string
}

/** Stops the agent; nothing may be started beside it, so this is retried until it has ended. */
export async function stop(run: Run, why: string, closePane = false): Promise<Stopped> {
  const { state, steps } = run
  if (state.fence === 0) return { steps: [], wasWorking: false }
  const stopped = await steps.stopAgent.executeWithOptions({ summary: `stop the agent: ${why}` }, [
    { ...currentRef(state), closePane, status: why },
  ])
  state.pid = null
  return stopped
}

/** Moves the session to the leased account. Answers null when it runs there, else why it does not; then nothing of it runs. */
export async function move(
  run: Run,
  plan: BringUp,
  grant: LeaseGrant,
  log: RescueStep[],
): Promise<MoveFault | null> {
  const { state, steps, moves } = run
  const from = state.place
  const to: PlaceRef = { kind: 'account', name: grant.account }
  const ref: SessionRef = { ...currentRef(state), fence: grant.fence, place: to }
  const compensations: (() => Promise<void>)[] = []
  try {
    if (state.pid !== null) {
      const stopped = await stop(run, `${becauseOf(plan, from)}, moving to ${to.name}`)
      if (stopped.wasWorking) plan.turn = 'cut-off'
      log.push(...stopped.steps)
    }
    const continues = state.continues || from !== null
    if (continues && (plan.scattered || from?.name !== to.name)) {
      const startedAt = Date.now()
      const source = plan.scattered ? null : from
      const summary = `carry the conversation from ${source?.name ?? 'where it was last written'} to ${to.name}`
      const { name: session, sessionId, agent } = state
      const request = { session, sessionId, agent, from: source, to }
      await moves.carryConversation.executeWithOptions({ summary }, [request])
      log.push({ name: 'carry', ms: Date.now() - startedAt })
    }
    // Before the launch, since a launch whose answer was lost has happened all the same.
    compensations.push(async () => {
      const summary = `undo the launch under ${to.name}`
      await steps.stopAgent.executeWithOptions({ summary }, [{ ...ref, closePane: false, status: summary }])
    })
    const launched = await moves.launchAgent.executeWithOptions({ summary: launchSummary(plan, grant) }, [
      launchRequest(run, plan, ref),
    ])
    log.push(...launched.steps)
    const { pane, pid, tmuxSocket, transcript, transcriptFrom } = launched
    Object.assign(state, { pane, pid, tmuxSocket, transcript, transcriptFrom })
    Object.assign(state, { place: to, fence: grant.fence, stayUntil: null })
    if (launched.promptTaken) state.firstPrompt = null
    return null
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    await CancellationScope.nonCancellable(async () => {
      for (const compensate of compensations.reverse()) await compensate()
    })
    return faultOf(error)
  }
}

function launchRequest({ state }: Run, plan: BringUp, ref: SessionRef): LaunchRequest {
  const goOn = continuation(plan.cause === 'start' ? 'wake' : plan.cause, plan.turn)
  const { firstPrompt, model } = state
  const prompt =
    firstPrompt !== null
      ? { text: firstPrompt, otherwise: goOn }
      : goOn === null
        ? null
        : { text: goOn, otherwise: goOn }
  const mode = state.continues || state.place !== null ? 'resume' : 'new'
  return { ...ref, model, mode, prompt, status: `outpool: on ${ref.place.name}` }
}

function launchSummary(plan: BringUp, { account, why }: LeaseGrant): string {
  const reason = why.startsWith(`${account}: `) ? why : `${account}: ${why}`
  return `${plan.cause === 'start' ? 'start' : 'respawn'} under ${reason}`.slice(0, 200)
}

/** What the move is for, in the words of somebody who was not there. */
function becauseOf({ cause, wall }: BringUp, from: PlaceRef | null): string {
  if (!wall) return cause
  const scope = wall.scope === 'account' ? '' : ` for ${wall.scope}`
  return `${from?.name ?? 'its account'} is walled${scope} (${wall.kind}, until ${clock(wall.resetsAt)})`
}

function faultOf(failure: ActivityFailure): MoveFault {
  const { cause } = failure
  if (cause instanceof ApplicationFailure) return { type: cause.type ?? 'Error', message: cause.message }
  return { type: 'StepTimedOut', message: cause?.message ?? failure.message }
}

/** Says in the status bar and in the engine that a move is under way. */
export function announce(run: Run, plan: BringUp): void {
  show(run, {
    phase: plan.cause === 'start' ? 'starting' : 'rescuing',
    attention: null,
    waiting: null,
    walledUntil: plan.wall?.resetsAt ?? null,
  })
}
