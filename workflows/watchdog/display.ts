/** What a watchdog shows in the engine: search attributes, memo and the details page of the Web UI. */
import { setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow'
import { attributeKeys } from '../attributes.js'
import { watchdogMemo } from '../messages.js'
import { view, type WatchdogState } from './state.js'

/** Writes only what has changed: each write is an event of the history. */
export class Display {
  #shown = ''
  #attributes = ''

  show(state: WatchdogState): void {
    const row = view(state)
    const attributes = [
      { key: attributeKeys.phase, value: row.state },
      { key: attributeKeys.host, value: row.host },
      { key: attributeKeys.attention, value: row.attention !== null },
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
      ? `checked every ${Math.round(spec.every / 1000)} s`
      : `${due.step} at ${due.at}`
  return [
    `**${state}**: ${next}`,
    ...(attention === null ? [] : [`\n**For a person:** ${attention}`]),
    `\nRestarts that count: ${restarts.length} of ${spec.restarts.limit}`,
    ...(incident === null ? [] : [`\nIncident ${incident} is open: \`outpool incidents show ${incident}\``]),
  ].join('\n')
}
