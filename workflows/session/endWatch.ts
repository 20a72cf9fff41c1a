/** Ends the watch of an agent that was stopped or released for another reason than what its watch saw, such as an order. */
import { condition } from '@temporalio/workflow'
import type { SessionObservation } from '../../activities/contracts.js'
import type { TurnState } from './continuationPrompt.js'
import type { SessionContext } from './context.js'
import { emitWalled, observedEvidence } from './events.js'
import { recordRename } from './forks.js'
import { withoutContinuations } from './inbox.js'
import { endWork, recordUnfit } from './react.js'
import { newPlan } from './state.js'

/** The host ends the watch when it stops the agent. For this long that answer is awaited before the watch is cancelled. */
const answersWithin = '2 seconds'

/** As `endWatch`, of an agent that has been stopped. */
export async function awaitWatch(ctx: SessionContext): Promise<TurnState> {
  const { watch } = ctx
  const summary = 'wait for what its watch saw last'
  if (watch !== null && !watch.isOver) await condition(() => watch.isOver, answersWithin, { summary })
  return endWatch(ctx)
}

/** Returns how the agent's last turn was left, as far as its watch knows. */
export async function endWatch(ctx: SessionContext): Promise<TurnState> {
  const { watch } = ctx
  ctx.watch = null
  await watch?.end()
  const observation = watch?.outcome?.value ?? null
  return observation === null ? 'idle' : recordLast(ctx, observation)
}

/**
 * A watch may have seen something just before the agent was stopped. It is about that agent and its account, not about the next ones,
 * so no plan follows from it; but a turn that has failed has to be continued, and what a person did is not lost.
 */
function recordLast(ctx: SessionContext, observation: SessionObservation): TurnState {
  const { state, handlers } = ctx
  state.transcript = observation.transcript ?? state.transcript
  switch (observation.kind) {
    case 'walled':
      emitWalled(state, newPlan('wall', { wall: observation.wall, evidence: observedEvidence(state) }))
      return 'cut-off'
    case 'unfit':
      recordUnfit(state)
      return 'cut-off'
    case 'transient':
      return 'cut-off'
    case 'near-limit':
      return observation.wasWorking ? 'wrapped-up' : 'idle'
    case 'exited':
      if (observation.byPerson) handlers.orders.push({ kind: 'stop' })
      return observation.wasWorking ? 'cut-off' : 'idle'
    case 'login':
    case 'gone':
      return observation.wasWorking ? 'cut-off' : 'idle'
    case 'turn-ended':
      endWork(ctx)
      return 'idle'
    case 'turn-stopped':
      if (state.once === true) handlers.orders.push({ kind: 'stop', why: observation.text })
      return 'idle'
    case 'renamed':
      recordRename(state, observation.sessionId)
      state.inbox = withoutContinuations(state.inbox)
      return 'idle'
    // The agent was at rest, or the stop itself tells whether it worked.
    case 'leaving':
    case 'ready-for-failback':
    case 'spent':
    case 'waiting':
    case 'not-waiting':
    case 'answered':
    case 'context':
    case 'config':
    case 'frozen':
    case 'released':
    case 'rollover':
      return 'idle'
  }
}
