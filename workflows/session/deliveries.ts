/** Hands the texts of the inbox to the agent, one after the other, each exactly once. */
import { ActivityFailure, condition, isCancellation } from '@temporalio/workflow'
import type { DeliverRequest } from '../../activities/contracts.js'
import { mayBegin } from './breaker.js'
import { currentRef, now, type Run, show } from './context.js'
import { faultOf, type MoveFault } from './move.js'
import { isUp, markTaken, nextText, noteRefusal, type SessionState, type Text } from './state.js'

/** Runs until it is cancelled. */
export async function deliverTexts(run: Run): Promise<never> {
  const { state } = run
  for (;;) {
    await condition(() => isUp(state) && nextText(state) !== null)
    const text = nextText(state)
    if (text === null) continue
    const early = Date.parse(text.notBefore ?? now()) - Date.parse(now())
    if (early > 0) {
      await condition(() => nextText(state) !== text, early, { summary: 'a pause before the agent goes on' })
      continue
    }
    if (mayType(run, text)) await deliver(run, text)
    else await condition(() => state.breaker === null)
  }
}

/** Each text counts once for the breaker, however often its delivery is tried. */
function mayType(run: Run, text: Text): boolean {
  if (text.cause === undefined || text.isCounted === true) return true
  text.isCounted = mayBegin(run, text.cause)
  return text.isCounted
}

async function deliver(run: Run, text: Text): Promise<void> {
  const { state, watches } = run
  const { fence, sessionId } = state
  const request = requestFor(run, text)
  // Once only: a further try must know what this one has typed.
  delete text.again
  // The pause before it is over, whether it was waited out or a person's text ended it.
  if (state.parkedUntil !== null) show(run, { parkedUntil: null })
  try {
    await watches.deliverText.executeWithOptions({ summary: summaryOf(text) }, [request])
    markTaken(state, text.id)
    show(run)
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    const isSettled = settle(state, text, faultOf(error))
    show(run)
    // The process or its conversation was replaced under it, and the text goes to the next one; or the host can't, for now.
    const isReplaced = (): boolean => state.fence !== fence || state.sessionId !== sessionId || !isUp(state)
    if (!isSettled) await condition(isReplaced, state.timing.retryEvery)
  }
}

function requestFor({ state }: Run, { id, text, command, again, mootAfter }: Text): DeliverRequest {
  return {
    ...{ ...currentRef(state), messageId: id, text },
    ...(command === true ? { command } : {}),
    ...(again === true ? { again } : {}),
    ...(mootAfter === undefined ? {} : { mootAfter }),
  }
}

function summaryOf({ text, command }: Text): string {
  if (text === null) return `deliver what a person typed at the turn's end`
  return `deliver a ${command === true ? 'command' : 'text'} of ${text.length} characters at the turn's end`
}

/** What follows from a delivery that failed. True where no further try is to be made for now. */
function settle(state: SessionState, text: Text, { type, message }: MoveFault): boolean {
  const look = `look with outpool attach ${state.name}`
  delete text.held
  switch (type) {
    case 'TextNotTaken':
      text.problem = `a text of ${text.text?.length ?? 'unknown'} characters waits: ${message}; ${look}, then outpool resume ${state.name} types it again`
      return true
    case 'CommandRefused':
      noteRefusal(state, text.id, message, null)
      return true
    case 'TextRefused':
      noteRefusal(
        state,
        text.id,
        message,
        `a text of ${text.text?.length ?? 'unknown'} characters was not taken`,
      )
      return true
    case 'LineOccupied':
      text.held = `a text waits: ${message}; send or clear it: ${look}`
      return false
    default:
      return false
  }
}
