/** Hands the texts of the inbox to the agent, one after the other, each exactly once. */
import { ActivityFailure, condition, isCancellation } from '@temporalio/workflow'
import { currentRef, now, type Run } from './run.js'
import { isUp, markTaken } from './state.js'

/** Runs until it is cancelled. */
export async function deliverTexts(run: Run): Promise<never> {
  const { state, watches } = run
  for (;;) {
    await condition(() => isUp(state) && state.inbox.length > 0)
    const text = state.inbox[0]
    if (!text) continue
    const early = Date.parse(text.notBefore ?? now()) - Date.parse(now())
    if (early > 0) {
      await condition(() => state.inbox[0] !== text, early)
      continue
    }
    const { fence, sessionId } = state
    const request = { ...currentRef(state), messageId: text.id, text: text.text }
    const what = text.text === null ? 'what a person typed' : `a text of ${text.text.length} characters`
    const summary = `deliver ${what} at the turn's end`
    try {
      await watches.deliverText.executeWithOptions({ summary }, [request])
      markTaken(state, text.id)
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
      // The process or its conversation was replaced under it, and the text goes to the next one; or the host can't, for now.
      const isReplaced = (): boolean => state.fence !== fence || state.sessionId !== sessionId || !isUp(state)
      await condition(isReplaced, state.timing.retryEvery)
    }
  }
}
