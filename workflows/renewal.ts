/** When a history has grown long enough to be cut. */
import { workflowInfo } from '@temporalio/workflow'

/**
 * Events. The engine would suggest it after four thousand; but a worker that comes back makes every workflow anew from its
 * history, at about 0.7 ms of a core for each event, and has ten seconds for each, on a machine that may be busy.
 */
export const renewAfter = 1_000

/** `renewsSooner`: whether the run was begun with this bound (patches.renewSooner). */
export function hasGrownLong(renewsSooner: boolean): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo()
  return continueAsNewSuggested || (renewsSooner && historyLength >= renewAfter)
}
