/** Starts the `session` workflow with the memo and attributes that let `ls` and the Web UI show it at once. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import {
  SearchAttributeType,
  type SearchAttributePair,
  TypedSearchAttributes,
  defineSearchAttributeKey,
} from '@temporalio/common'
import { commonQueue, searchAttributes, sessionWorkflowId } from '../../policy/ids.js'
import { newMemo, sessionMemo, type SessionMemo } from '../../policy/session/session.js'
import type { SessionStart } from '../../workflows/messages.js'
import type { Engine } from './engine.js'
import { FailedError } from '../errors.js'
import { oneLine } from '../output/terminal.js'

/** Returns once the engine has stored the session. Throws FailedError if a session of this name is running. */
export async function startSession(engine: Engine, input: SessionStart): Promise<SessionMemo> {
  const card = newMemo(input, new Date().toISOString())
  try {
    await engine.client.workflow.start('session', {
      workflowId: sessionWorkflowId(input.name),
      taskQueue: commonQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      memo: { [sessionMemo]: card },
      typedSearchAttributes: new TypedSearchAttributes(attributesOf(card)),
      staticSummary: summaryOf(input),
    })
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    throw new FailedError(
      `session ${input.name} is already running`,
      `choose another name, or see this one with \`outpool show ${input.name}\``,
      { cause: error },
    )
  }
  return card
}

function attributesOf(card: SessionMemo): SearchAttributePair[] {
  const keyword = (name: string, value: string): SearchAttributePair => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  })
  return [
    keyword(searchAttributes.phase, card.phase),
    keyword(searchAttributes.host, card.host),
    keyword(searchAttributes.agent, card.agent),
    { key: defineSearchAttributeKey(searchAttributes.rescues, SearchAttributeType.INT), value: card.rescues },
    { key: defineSearchAttributeKey(searchAttributes.attention, SearchAttributeType.BOOL), value: false },
  ]
}

/** The engine accepts at most 200 bytes. Everyone who reaches the engine can read it, so it names no folder and no prompt. */
function summaryOf({ agent, model }: SessionStart): string {
  const text = oneLine(`${agent}${model === null ? '' : ` (${model})`}`)
  return Buffer.byteLength(text) <= 200 ? text : `${agent} session`
}
