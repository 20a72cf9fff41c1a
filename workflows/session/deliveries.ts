/** Delivers the texts of the inbox to the agent, one after the other, each exactly once. */
import { ActivityFailure, condition, isCancellation } from '@temporalio/workflow'
import type { DeliverRequest } from '../../activities/contracts.js'
import { mayBeginTurn } from './breaker.js'
import { failureKinds } from '../../policy/failureKinds.js'
import { now } from '../now.js'
import { failureOf, type StepFailure } from '../stepFailures.js'
import { currentRef, type SessionContext, show } from './context.js'
import { markTaken, nextText, recordRefusal } from './inbox.js'
import { isUp, type SessionState, type InboxText } from './state.js'

/** Runs until it is cancelled. */
export async function deliverTexts(ctx: SessionContext): Promise<never> {
  const { state } = ctx
  for (;;) {
    await condition(() => isUp(state) && nextText(state) !== null)
    const text = nextText(state)
    if (text === null) continue
    const early = Date.parse(text.notBefore ?? now()) - Date.parse(now())
    if (early > 0) {
      await condition(() => nextText(state) !== text, early, { summary: 'a pause before the agent goes on' })
      continue
    }
    if (mayType(ctx, text)) await deliver(ctx, text)
    else await condition(() => state.breaker === null)
  }
}

/** Each text counts once for the breaker, however often its delivery is tried. */
function mayType(ctx: SessionContext, text: InboxText): boolean {
  if (text.cause === undefined || text.isCounted === true) return true
  text.isCounted = mayBeginTurn(ctx, text.cause)
  return text.isCounted
}

async function deliver(ctx: SessionContext, text: InboxText): Promise<void> {
  const { state, watches } = ctx
  const { fence, sessionId } = state
  const request = requestFor(ctx, text)
  // For one try only: the next one must take into account what this one has typed.
  delete text.retype
  // The pause before this text is over, or a person's text has ended it.
  if (state.parkedUntil !== null) show(ctx, { parkedUntil: null })
  try {
    await watches.deliverText.executeWithOptions({ summary: summaryOf(text) }, [request])
    markTaken(state, text.id)
    show(ctx)
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    const isSettled = recordFailure(state, text, failureOf(error))
    show(ctx)
    // Either the process or its conversation was replaced, and the text goes to the next one, or the host can't type it for now.
    const isReplaced = (): boolean => state.fence !== fence || state.sessionId !== sessionId || !isUp(state)
    if (!isSettled)
      await condition(isReplaced, state.timing.retryEvery, {
        summary: 'a pause before the text is tried again',
      })
  }
}

function requestFor(
  { state }: SessionContext,
  { id, text, command, retype, skipIfPromptedAfter }: InboxText,
): DeliverRequest {
  return {
    ...{ ...currentRef(state), messageId: id, text },
    ...(command === true ? { command } : {}),
    ...(retype === true ? { isRetry: retype } : {}),
    ...(skipIfPromptedAfter === undefined ? {} : { skipIfPromptedAfter }),
  }
}

function summaryOf({ text, command }: InboxText): string {
  if (text === null) return `deliver what a person typed at the turn's end`
  return `deliver a ${command === true ? 'command' : 'text'} of ${text.length} characters at the turn's end`
}

/** Records why a delivery failed. True if no further try is to be made for now. */
function recordFailure(state: SessionState, text: InboxText, { kind, message }: StepFailure): boolean {
  const look = `look with outpool attach ${state.name}`
  delete text.blockedBy
  switch (kind) {
    case failureKinds.textNotTaken:
      text.problem = `a text of ${text.text?.length ?? 'unknown'} characters waits: ${message}; ${look}, then outpool resume ${state.name} types it again`
      return true
    case failureKinds.commandRefused:
      recordRefusal(state, text.id, message, null)
      return true
    case failureKinds.textRefused:
      recordRefusal(
        state,
        text.id,
        message,
        `a text of ${text.text?.length ?? 'unknown'} characters was not taken`,
      )
      return true
    case failureKinds.lineOccupied:
      text.blockedBy = `a text waits: ${message}; send or clear it: ${look}`
      return false
    default:
      return false
  }
}
