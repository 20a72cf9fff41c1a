/** The texts of a drill: its prompts to the agent, its page in the Web UI, and the notice to a person if it fails. */
import type { Announcement } from '../../policy/notices/notice.js'
import type { DrillObservation, DrillReport, DrillStep } from '../../policy/independence/drill.js'
import type { DrillSetup } from '../../activities/contracts.js'

export const drillPrompts = {
  first:
    'This is a drill of outpool, which checks that sessions survive a limit. Use no tools. Answer with one word: ready',
  onFallback:
    'The drill goes on: every account counts as spent now. Use no tools. Answer with one word: here',
} as const

export const drillNotice = ({ id, why, steps }: DrillReport): Announcement => ({
  ...{ key: id, kind: 'drill', title: 'the drill failed' },
  text: [`${why ?? ''}.`, ...steps.map(line), `All steps: ${id} in Temporal's Web UI.`].join('\n'),
})

export const drillPage = (steps: readonly DrillStep[]): string =>
  steps.map((step) => `- ${line(step)}`).join('\n')

const line = ({ name, ok, found, ms }: DrillStep): string =>
  `${ok ? 'ok' : 'FAILED'}: ${name} (${found}; ${Math.round(ms / 1000)} s)`

export function describeObservation({ phase, account, substrate, answered }: DrillObservation): string {
  const where = account ?? substrate
  return `${phase}${where === null ? '' : ` on ${where}`}${answered ? ', answered' : ''}`
}

export const describeSetup = ({ fallbacks }: DrillSetup): string =>
  fallbacks.length === 0 ? 'no substrate is configured' : `falls back to ${fallbacks.join(', ')}`
