/** What a watchdog shows of itself in the engine: search attributes, memo and the details page of the Web UI. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow'
import { searchAttributes } from '../../policy/ids.js'
import { watchdogMemo } from '../messages.js'
import { view, type WatchdogState } from './state.js'

const phase = defineSearchAttributeKey(searchAttributes.phase, SearchAttributeType.KEYWORD)
const host = defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD)
const attention = defineSearchAttributeKey(searchAttributes.attention, SearchAttributeType.BOOL)

/** Writes only what has changed. */
export class Display {
  #shown = ''
  #attributes = ''

  show(state: WatchdogState): void {
    const row = view(state)
    const attributes = [
      { key: phase, value: row.state },
      { key: host, value: row.host },
      { key: attention, value: row.attention !== null },
    ]
    const text = JSON.stringify([row.state, row.host, row.attention !== null])
    if (text !== this.#attributes) upsertSearchAttributes(attributes)
    this.#attributes = text
    const memo = JSON.stringify(row)
    if (memo !== this.#shown) upsertMemo({ [watchdogMemo]: row })
    this.#shown = memo
    setCurrentDetails(page(state))
  }
}

function page({ spec, state, restarts, incident, due, attention }: WatchdogState): string {
  const next =
    due === null || due.step === 'wait'
      ? `looked at every ${Math.round(spec.every / 1000)} s`
      : `${due.step} at ${due.at}`
  return [
    `**${state}**: ${next}`,
    ...(attention === null ? [] : [`\n**For a person:** ${attention}`]),
    `\nRestarts that count: ${restarts.length} of ${spec.restarts.limit}`,
    ...(incident === null ? [] : [`\nIncident ${incident} is open: \`outpool incidents show ${incident}\``]),
  ].join('\n')
}
