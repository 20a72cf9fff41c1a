/** When a history has grown long enough to be cut at a moment at which nothing is under way. */
import { workflowInfo } from '@temporalio/workflow'

/**
 * Events. The engine suggests a cut after four thousand, which is for the limit of a history. But a worker that comes back makes
 * each workflow anew from its history, at 0.7 to 1 ms of a core for an event, before it can take its next step: a herd of
 * hundreds waits for that. A rescue is some 35 events, a new run costs about a dozen.
 */
export const renewAfterEvents = 250

export const hasGrownLong = (): boolean => workflowInfo().historyLength >= renewAfterEvents
