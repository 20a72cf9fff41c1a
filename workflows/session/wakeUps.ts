/** Delivers the wake-ups that processes before the current one had planned. Their texts stay on the host (law 11). */
import { ActivityFailure, condition, isCancellation } from '@temporalio/workflow'
import type { QueueWakeUpRequest } from '../../activities/contracts.js'
import { now } from '../now.js'
import { currentRef, type SessionContext } from './context.js'
import { isKnownText } from './inbox.js'
import { isUp, type SessionState } from './state.js'

/** Runs until it is cancelled. */
export async function deliverWakeUps(ctx: SessionContext): Promise<never> {
  const { state, watches } = ctx
  for (;;) {
    await condition(() => isUp(state) && (state.plannedWakeUps ?? []).length > 0)
    const known = state.plannedWakeUps ?? []
    const [next] = [...known].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    if (!next) continue
    const early = Date.parse(next.at) - Date.parse(now())
    const isReplaced = (): boolean => state.plannedWakeUps !== known || !isUp(state)
    if (early > 0) {
      await condition(isReplaced, early, { summary: 'a wake-up that the agent planned' })
      continue
    }
    const { fence } = state
    try {
      const summary = 'a wake-up that the agent planned is due'
      const request: QueueWakeUpRequest = { ...currentRef(state), plan: next.id }
      const text = await watches.queuePlannedWakeUp.executeWithOptions({ summary }, [request])
      // A launch meanwhile has reported the plans that are still due.
      if (state.fence === fence)
        state.plannedWakeUps = (state.plannedWakeUps ?? []).filter(({ id }) => id !== next.id)
      if (text !== null) queueWakeUp(state, text)
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
      await condition(() => state.fence !== fence || !isUp(state), state.timing.retryEvery, {
        summary: 'a pause before the wake-up is tried again',
      })
    }
  }
}

/** The host keeps the text under this id. A launch meanwhile may have queued it already. */
function queueWakeUp(state: SessionState, id: string): void {
  if (!isKnownText(state, id)) state.inbox.push({ id, text: null, cause: 'wake-up' })
}
