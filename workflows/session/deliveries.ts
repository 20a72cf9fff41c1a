/** Hands the texts of the inbox to the agent, one after the other, each exactly once. */
import { ActivityFailure, condition, isCancellation } from '@temporalio/workflow'
import type { DeliverRequest } from '../../activities/contracts.js'
import { mayBegin } from './breaker.js'
import { currentRef, now, type Run, show } from './run.js'
import { faultOf, type MoveFault } from './saga.js'
import { isUp, markTaken, nextText, type Text } from './state.js'

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
    if (text.cause === undefined || mayBegin(run, text.cause)) await deliver(run, text)
    else await condition(() => state.breaker === null)
  }
}

async function deliver(run: Run, text: Text): Promise<void> {
  const { state, watches } = run
  const { fence, sessionId } = state
  // The pause before it is over, whether it was waited out or a person's text ended it.
  if (state.parkedUntil !== null) show(run, { parkedUntil: null })
  try {
    await watches.deliverText.executeWithOptions({ summary: summaryOf(text) }, [requestFor(run, text)])
    markTaken(state, text.id)
    calmDown(run)
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    const fault = faultOf(error)
    if (await isSettledBy(run, text, fault)) return
    // The process or its conversation was replaced under it, and the text goes to the next one; or the host can't, for now.
    const isReplaced = (): boolean => state.fence !== fence || state.sessionId !== sessionId || !isUp(state)
    await condition(isReplaced, state.timing.retryEvery)
  }
}

function requestFor({ state }: Run, { id, text, command, again }: Text): DeliverRequest {
  return {
    ...{ ...currentRef(state), messageId: id, text },
    ...(command === true ? { command } : {}),
    ...(again === true ? { again } : {}),
  }
}

function summaryOf({ text, command }: Text): string {
  if (text === null) return `deliver what a person typed at the turn's end`
  return `deliver a ${command === true ? 'command' : 'text'} of ${text.length} characters at the turn's end`
}

/** Whether the text needs no further try for now: it waits for a person, or was refused. */
async function isSettledBy(run: Run, text: Text, { type, message }: MoveFault): Promise<boolean> {
  const { state } = run
  const look = `look with outpool attach ${state.name}`
  switch (type) {
    case 'TextNotTaken':
      text.problem = `a text of ${text.text?.length ?? 'unknown'} characters waits: ${message}; ${look}, then outpool resume ${state.name} types it again`
      show(run, { attention: text.problem })
      return true
    case 'CommandRefused':
      state.refused = [...(state.refused ?? []), { id: text.id, problem: message }].slice(-refusedKept)
      state.inbox = state.inbox.filter(({ id }) => id !== text.id)
      return true
    case 'LineOccupied':
      show(run, { attention: `a text waits: ${message}; send or clear it: ${look}` })
      await condition(() => !isUp(state), state.timing.retryEvery)
      return true
    default:
      return false
  }
}

/** Answers of refused commands, for those who wait for them. */
const refusedKept = 20

/** A person is told of texts that wait for as long as there are any. */
function calmDown(run: Run): void {
  const { attention, inbox } = run.state
  if (attention?.startsWith('a text') !== true) return
  show(run, { attention: inbox.find(({ problem }) => problem !== undefined)?.problem ?? null })
}
