/** When a run ends and continues as a new one, and what the new run starts with. */
import { setHandler, workflowInfo } from '@temporalio/workflow'
import { stateQueries } from './messages.js'
import { now } from './now.js'

/**
 * Events. The engine suggests continue-as-new after four thousand, because of the limit on a history's size. But a restarted
 * worker rebuilds each workflow from its history, at 0.7 to 1 ms of a core for each event, before the workflow can take its
 * next step, and a herd of hundreds waits for that. A rescue is some 35 events; a new run costs about a dozen.
 */
export const renewAfterEvents = 250

/** Whether the history is long enough to be cut at a moment at which no step is under way. */
export const hasGrownLong = (): boolean => workflowInfo().historyLength >= renewAfterEvents

/** Whether the run has to continue as new: the engine suggests it, or the signal `migrate` asks for the newest code. */
export const mustRenew = ({ handlers }: { handlers: { migrate: boolean } }): boolean =>
  handlers.migrate || workflowInfo().continueAsNewSuggested

/** What a run hands to the next one of the same workflow. */
export interface CarriedOver<State> {
  state: State
  /** Set if the run before was ended or deleted behind Outpool's back, so that others may have forgotten it. */
  restored?: true
}

const isCarriedOver = <State>(input: object): input is CarriedOver<State> => 'state' in input

export const isRestored = (input: object): boolean => isCarriedOver(input) && input.restored === true

/** The state that a run starts with: the one that the run before handed over, or a new one. It changes in place. */
export function initialState<Start extends object, State>(
  input: Start | CarriedOver<State>,
  newState: (start: Start, now: string) => State,
): State {
  const state = isCarriedOver<State>(input) ? input.state : newState(input, now())
  setHandler(stateQueries.carriedOver, () => ({ state }))
  return state
}
