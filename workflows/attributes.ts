/** The search attributes by which workflows are listed in the engine. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { upsertSearchAttributes } from '@temporalio/workflow'
import { searchAttributes } from '../policy/ids.js'

export const attributeKeys = {
  phase: defineSearchAttributeKey(searchAttributes.phase, SearchAttributeType.KEYWORD),
  account: defineSearchAttributeKey(searchAttributes.account, SearchAttributeType.KEYWORD),
  substrate: defineSearchAttributeKey(searchAttributes.substrate, SearchAttributeType.KEYWORD),
  host: defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD),
  agent: defineSearchAttributeKey(searchAttributes.agent, SearchAttributeType.KEYWORD),
  walledUntil: defineSearchAttributeKey(searchAttributes.walledUntil, SearchAttributeType.DATETIME),
  rescues: defineSearchAttributeKey(searchAttributes.rescues, SearchAttributeType.INT),
  attention: defineSearchAttributeKey(searchAttributes.attention, SearchAttributeType.BOOL),
}

/** Marks the workflow as one that a person should look at, or no longer. */
export const showAttention = (value: boolean): void =>
  upsertSearchAttributes([{ key: attributeKeys.attention, value }])
