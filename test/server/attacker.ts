/**
 * Another user of the machine, who reaches the engine and has no key: what they can read and send over gRPC. `Raw`: by the calls of the
 * API, which seal nothing.
 */
import { Client, Connection } from '@temporalio/client'
import type { Payload } from '@temporalio/common'
import proto from '@temporalio/proto'
import { commonQueue } from '../../policy/ids.js'

const { WorkflowExecutionStatus, WorkflowIdConflictPolicy } = proto.temporal.api.enums.v1
export const namespace = 'default'

type Event = proto.temporal.api.history.v1.IHistoryEvent

export class Attacker {
  readonly connection: Connection
  readonly client: Client

  private constructor(connection: Connection) {
    this.connection = connection
    this.client = new Client({ connection, namespace })
  }

  static async connect(address: string): Promise<Attacker> {
    return new Attacker(await Connection.connect({ address }))
  }

  close(): Promise<void> {
    return this.connection.close()
  }

  async eventsOf(workflowId: string): Promise<Event[]> {
    const { events } = await this.client.workflow.getHandle(workflowId).fetchHistory()
    return events ?? []
  }

  /** What the engine stores as the input of this workflow, as anyone can capture it. */
  async startInput(workflowId: string): Promise<Payload[]> {
    const [first] = await this.eventsOf(workflowId)
    return first?.workflowExecutionStartedEventAttributes?.input?.payloads ?? []
  }

  /** Starts a workflow in the place of the one that runs, if there is one: the healer may have been faster. */
  async startRaw(workflowId: string, type: string, payloads: Payload[], queue = commonQueue): Promise<void> {
    await this.connection.workflowService.startWorkflowExecution({
      ...{ namespace, workflowId, requestId: workflowId, workflowType: { name: type } },
      ...{ taskQueue: { name: queue }, input: { payloads } },
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
    })
  }

  signalRaw(workflowId: string, signalName: string, payloads: Payload[]): Promise<unknown> {
    return this.connection.workflowService.signalWorkflowExecution({
      ...{ namespace, workflowExecution: { workflowId }, signalName, input: { payloads } },
    })
  }

  describeRaw(workflowId: string) {
    return this.connection.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } })
  }

  async statusOf(workflowId: string): Promise<string> {
    const { workflowExecutionInfo } = await this.describeRaw(workflowId)
    const name = WorkflowExecutionStatus[workflowExecutionInfo?.status ?? 0] ?? ''
    return name.slice('WORKFLOW_EXECUTION_STATUS_'.length)
  }
}

/** Sealed by its looks, with the id of the real key, and made without the key. */
export function forgery(captured: Payload | undefined): Payload {
  const data = Buffer.from(captured?.data ?? [])
  data.writeUInt8(data.readUInt8(data.length - 1) ^ 1, data.length - 1)
  return { metadata: captured?.metadata ?? {}, data }
}

export const plain = (value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
})
