/** What the workflows of a fleet have written to the engine, opened: the record with which everything else can be compared. */
import type { Payload } from '@temporalio/common'
import type proto from '@temporalio/proto'
import { z } from 'zod'
import { withEngine } from '../../client/engine/engine.js'
import { SealingCodec } from '../../config/seal/codec.js'
import { ensureSealKeys } from '../../config/seal/keys.js'
import type { Home } from '../../config/state/home.js'

const envelopeSchema = z.object({ use: z.string(), to: z.string(), args: z.array(z.unknown()) })

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent
type Payloads = proto.temporal.api.common.v1.IPayloads

/** What a workflow has recorded. An activity is recorded when it has ended well. */
export type Recorded =
  | { kind: 'activity'; name: string; input: unknown; result: unknown }
  /** Search attributes that were set; null for one that was unset. */
  | { kind: 'attributes'; values: Record<string, unknown> }
  | { kind: 'completed'; result: unknown }
  | { kind: 'failed' }

export interface OpenedHistory {
  workflowId: string
  /** The name of the workflow, such as `session`. */
  type: string
  input: unknown
  /** In the order of the history. */
  recorded: Recorded[]
}

/** The histories of every run of every workflow that the engine lists. */
export function openHistories(home: Home): Promise<OpenedHistory[]> {
  return withEngine(home, async ({ client, namespace }) => {
    const codec = new SealingCodec(ensureSealKeys(home), namespace)
    const histories: OpenedHistory[] = []
    for await (const { workflowId, runId, type } of client.workflow.list()) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory()
      histories.push({ workflowId, type, ...openEvents(events ?? [], codec) })
    }
    return histories
  })
}

function openEvents(
  events: readonly HistoryEvent[],
  codec: SealingCodec,
): Pick<OpenedHistory, 'input' | 'recorded'> {
  const open = (payload: Payload | null | undefined): unknown => {
    const { data } = payload == null ? {} : (codec.open(payload) ?? payload)
    return data == null || data.length === 0 ? null : JSON.parse(Buffer.from(data).toString())
  }
  const first = (list: Payloads | null | undefined): unknown => contentOf(open(list?.payloads?.[0]))
  const scheduled = new Map<string, { name: string; input: unknown }>()
  const recorded: Recorded[] = []
  let input: unknown = null
  for (const event of events) {
    const started = event.workflowExecutionStartedEventAttributes
    const step = event.activityTaskScheduledEventAttributes
    const done = event.activityTaskCompletedEventAttributes
    const attributes = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes
    const completed = event.workflowExecutionCompletedEventAttributes
    if (started != null) input = first(started.input)
    if (step != null)
      scheduled.set(String(event.eventId), { name: step.activityType?.name ?? '', input: first(step.input) })
    const begun = scheduled.get(String(done?.scheduledEventId))
    if (begun !== undefined) recorded.push({ kind: 'activity', ...begun, result: first(done?.result) })
    if (attributes != null) {
      const values = Object.entries(attributes.indexedFields ?? {}).map(([key, one]) => [key, open(one)])
      recorded.push({ kind: 'attributes', values: Object.fromEntries(values) as Record<string, unknown> })
    }
    if (completed != null) recorded.push({ kind: 'completed', result: first(completed.result) })
    if (event.workflowExecutionFailedEventAttributes != null) recorded.push({ kind: 'failed' })
  }
  return { input, recorded }
}

/** What goes to a workflow or an activity, and what comes back from one, is in an envelope (policy/envelope.ts). */
function contentOf(value: unknown): unknown {
  const opened = envelopeSchema.safeParse(value)
  return opened.success ? opened.data.args[0] : value
}
