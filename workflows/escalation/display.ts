/** What an escalation shows in the engine: search attributes and the details page of the Web UI. */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import { attributeKeys } from '../attributes.js'
import type { EscalationState } from './state.js'

export class Display {
  #shownAttention: boolean | null = null

  show(state: EscalationState): void {
    const needsPerson = state.attention !== null
    if (needsPerson !== this.#shownAttention)
      upsertSearchAttributes([
        { key: attributeKeys.host, value: state.host },
        { key: attributeKeys.attention, value: needsPerson },
      ])
    this.#shownAttention = needsPerson
    setCurrentDetails(page(state))
  }
}

function page({ service, incident, attempts, place, tried, attention }: EscalationState): string {
  const failed = tried.map(({ place, why }) => `- ${place.name}: ${why}`)
  return [
    place === null
      ? `**${service}**: no agent works on it now`
      : `**${service}**: an agent on ${place.name} works on it`,
    ...(attention === null ? [] : [`\n**For a person:** ${attention}`]),
    `\nAgents woken: ${attempts}. The report: \`outpool incidents show ${incident}\``,
    ...(failed.length === 0 ? [] : ['', ...failed]),
  ].join('\n')
}
