/** Hands an incident over to its escalation. Each incident has one escalation, however often it is noticed. */
import type { SignalDefinition } from '@temporalio/common'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import { getExternalWorkflowHandle, ParentClosePolicy, startChild } from '@temporalio/workflow'
import { commonQueue, escalationWorkflowId } from '../../policy/ids.js'
import type { escalation } from '../escalation/workflow.js'
import { escalationSignals } from '../messages.js'
import { type WatchdogContext, show } from './context.js'

export async function escalate(ctx: WatchdogContext): Promise<void> {
  const { state } = ctx
  const { spec, incident, fence } = state
  if (incident === null || spec.wakeUp === null) return
  const { name: service, host, pool } = spec
  const input = { service, host, pool, incident, fence, ...spec.wakeUp }
  try {
    await startChild<typeof escalation>('escalation', {
      workflowId: escalationWorkflowId(service, incident),
      taskQueue: commonQueue,
      args: [input],
      // It outlives the run of the watchdog that started it, and signals the current one at its end.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `incident ${incident} of ${service}: restarts did not help`,
    })
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
  show(ctx, { isEscalated: true, state: 'escalated', due: null, attention: null })
}

/** False for an escalation that was terminated, which sends no message. */
export const isEscalationRunning = (ctx: WatchdogContext): Promise<boolean> =>
  signalEscalation(ctx, escalationSignals.ping)
export const stopEscalation = (ctx: WatchdogContext): Promise<boolean> =>
  signalEscalation(ctx, escalationSignals.stop)

async function signalEscalation({ state }: WatchdogContext, signal: SignalDefinition): Promise<boolean> {
  if (state.incident === null) return false
  try {
    await getExternalWorkflowHandle(escalationWorkflowId(state.spec.name, state.incident)).signal(signal)
    return true
  } catch {
    return false
  }
}
