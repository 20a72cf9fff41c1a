/** The state of one session's workflow, by describe, since lists of workflows are seconds late. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { sessionWorkflowId } from '../policy/ids.js'
import type { SessionTraces } from '../policy/retention.js'

export async function workflowState(client: Client, session: string): Promise<SessionTraces['workflow']> {
  try {
    const { status } = await client.workflow.getHandle(sessionWorkflowId(session)).describe()
    if (status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW' || status.name === 'PAUSED')
      return 'running'
    return status.name === 'UNKNOWN' ? 'unknown' : 'over'
  } catch (error) {
    return error instanceof WorkflowNotFoundError ? 'over' : 'unknown'
  }
}
