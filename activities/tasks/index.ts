/** The activities of tasks, wired to their host, and to the engine through which they reach sessions. */
import { Context } from '@temporalio/activity'
import type { QueryDefinition, SignalDefinition } from '@temporalio/common'
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { sessionWorkflowId } from '../../policy/ids.js'
import { withHeartbeat } from '../withHeartbeat.js'
import type { Host } from '../../host/host.js'
import { saveAnswer, prepareAgentTask } from './agentTask.js'
import type { TaskActivities } from './contracts.js'
import type { Backlog, SessionClient } from './mailTarget.js'
import { pollMail } from './pollMail.js'
import { runProgram } from './runProgram.js'

/** The session workflow's messages that tasks send, given by the worker: no activity imports a workflow. */
export interface SessionMessages {
  send: SignalDefinition<[{ id: string; text: string; byTask?: boolean }]>
  backlog: QueryDefinition<Backlog>
}

export function taskActivities(host: Host, client: Client, names: SessionMessages): TaskActivities {
  const sessions = createSessionClient(client, names)
  const cancellation = (): AbortSignal => Context.current().cancellationSignal
  return {
    runProgram: ({ task }) => withHeartbeat(() => runProgram(host, task, cancellation())),
    pollMail: ({ task }) => withHeartbeat(() => pollMail(host, sessions, task, cancellation())),
    prepareAgentTask: ({ task }) => withHeartbeat(() => prepareAgentTask(host, task)),
    saveAnswer: (request) => withHeartbeat(() => saveAnswer(host, request)),
  }
}

function createSessionClient(client: Client, names: SessionMessages): SessionClient {
  const handle = (session: string) => client.workflow.getHandle(sessionWorkflowId(session))
  return {
    send: async (session, text) => {
      try {
        await handle(session).signal(names.send, { ...text, byTask: true })
        return true
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false
        throw error
      }
    },
    backlog: async (session) => {
      try {
        const { status } = await handle(session).describe()
        return status.name === 'RUNNING' ? await handle(session).query(names.backlog) : null
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null
        throw error
      }
    },
  }
}
