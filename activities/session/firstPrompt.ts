/**
 * Gives an agent the prompt with which a person starts it. It is typed, because every user of the machine can read the arguments of a
 * process; only Outpool's own words are passed as an argument. What the agent does not take at once is delivered like a text that a
 * person typed in the pane.
 */
import { statSync } from 'node:fs'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Place } from '../../agents/adapter/place.js'
import type { Host } from '../../host/host.js'
import type { Pane } from '../../host/tmux/panes.js'
import type { LaunchRequest } from '../contracts.js'
import { clearLine, pasteIntoLine, untilScreen } from './inputLine.js'
import { dropText, firstPromptName, readText, saveText } from './pendingInput.js'
import { untilPromptTaken } from './verifyStart.js'

interface PromptOutcome {
  isTaken: boolean
  /** Why a hook of the user's refused it. */
  refusal: string | null
}

/** Whether these are a person's words and not Outpool's own. */
export const isPersons = ({ prompt }: LaunchRequest, chosen: string | null): boolean =>
  prompt !== null && chosen !== null && chosen !== prompt.otherwise && prompt.text !== prompt.otherwise

/** Keeps the prompt for the process that is about to start, also if the worker is killed meanwhile. Null: an earlier one took it. */
export function keepFirstPrompt(host: Host, { session, prompt }: LaunchRequest, text: string | null): void {
  if (text !== null) {
    // Sessions of a task have the same name in each run: what became of an earlier prompt says nothing about this one.
    host.records.forgetDelivery(session, firstPromptName)
    saveText(host, session, firstPromptName, text)
  } else if (prompt !== null && prompt.text !== prompt.otherwise) dropText(host, session, firstPromptName)
}

/** The prompt that was kept for this launch; null if there is none, or if it is in the session's inbox already. */
export const keptFirstPrompt = (host: Host, { session, prompt }: LaunchRequest): string | null =>
  prompt === null || prompt.text === prompt.otherwise ? null : readText(host, session, firstPromptName)

/** Types it once. `from`: size of the transcript before this process, in bytes. */
export async function typeFirstPrompt(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  request: LaunchRequest,
  pane: Pane,
  text: string,
  since: { from: number; forkedAt: string | null },
): Promise<PromptOutcome> {
  const { session } = request
  if (!isTyped(host, request) && !(await type(host, adapter, place, request, pane, text)))
    return { isTaken: false, refusal: null }
  const outcome = await untilPromptTaken(host, adapter, place, request, text, since)
  if (outcome.isTaken || outcome.refusal !== null) dropText(host, session, firstPromptName)
  // The program has put a refused prompt back into its input line, where a later text would find a person's draft.
  if (outcome.refusal !== null) await clearLine(host, adapter, pane)
  return outcome
}

/** Whether an earlier attempt of this launch has typed it. */
function isTyped(host: Host, { session, sessionId, fence }: LaunchRequest): boolean {
  const known = host.records.delivery(session, firstPromptName, sessionId)
  return known?.fence === fence && known.entered > 0
}

/** False if the input line takes nothing, or holds a draft: the delivery of texts can deal with that. */
async function type(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  { session, sessionId, fence }: LaunchRequest,
  pane: Pane,
  text: string,
): Promise<boolean> {
  const screen = await untilScreen(host, pane.id, (now) => adapter.takesInput(now))
  if (adapter.readInputMode(screen) !== 'words' || adapter.readDraft(screen) !== null) return false
  const transcript = await adapter.findTranscript(place, sessionId)
  const mark = transcript === null ? 0 : statSync(transcript).size
  // As the delivery of texts records it, which goes on from here if the agent does not take it.
  const delivery = {
    ...{ print: adapter.fingerprint(text), from: mark, mark, fence, conversation: sessionId },
    ...{ typed: 1, entered: 0, enteredAt: null, keyAt: Date.now(), taken: false },
  }
  host.records.saveDelivery(session, firstPromptName, delivery)
  await pasteIntoLine(host, adapter, pane, adapter.toPaste(text, 'words'))
  const enteredAt = Date.now()
  host.records.saveDelivery(session, firstPromptName, {
    ...delivery,
    entered: 1,
    enteredAt,
    keyAt: enteredAt,
  })
  await host.tmux.press(pane.id, ['Enter'])
  return true
}
