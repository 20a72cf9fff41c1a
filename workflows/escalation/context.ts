/** What the parts of a running escalation share. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { searchAttributes } from '../../policy/ids.js'
import type { launchesOn, serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import type { EscalationState } from './state.js'

export interface EscalationContext {
  state: EscalationState
  steps: ReturnType<typeof serviceStepsOn>
  watches: ReturnType<typeof serviceWatchesOn>
  moves: ReturnType<typeof launchesOn>
  orders: { stop: boolean; migrate: boolean }
}

const host = defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD)
const attention = defineSearchAttributeKey(searchAttributes.attention, SearchAttributeType.BOOL)

export const now = (): string => new Date().toISOString()
export const later = (ms: number): string => new Date(Date.now() + ms).toISOString()

export const mustRenew = ({ orders }: EscalationContext): boolean =>
  orders.migrate || workflowInfo().continueAsNewSuggested

/** Changes what is known, and shows it where it changed. */
export function show({ state }: EscalationContext, change: Partial<EscalationState>): void {
  const before = state.attention !== null
  Object.assign(state, change)
  if (before !== (state.attention !== null)) showAttributes(state)
  setCurrentDetails(page(state))
}

export const showAttributes = (state: EscalationState): void =>
  upsertSearchAttributes([
    { key: host, value: state.host },
    { key: attention, value: state.attention !== null },
  ])

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
