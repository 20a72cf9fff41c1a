/** The list of agents that can be adopted, for a person. */
import type { Colors } from 'picocolors/types.js'
import type { AccountOffer, Found, FoundAgent } from '../../config/state/foundAgents.js'
import { adoptionLossText, adoptionRefusalText } from '../../policy/session/adoptionTexts.js'
import { type Column, renderTable } from '../output/table.js'
import { span } from '../output/times.js'

const columnsFor = (now: Date): Column<FoundAgent>[] => [
  { title: 'PID', text: ({ pid }) => String(pid), align: 'right' },
  { title: 'WHERE', text: terminalText },
  { title: 'ON', text: ({ account, configDir }) => account ?? configDir, shrink: 'middle' },
  { title: 'STATE', text: (agent) => stateText(agent, now), shrink: 'end' },
  { title: 'MODEL', text: ({ model }) => model ?? '-', shrink: 'end' },
  { title: 'CONVERSATION', text: ({ sessionId }) => sessionId?.slice(0, 8) ?? '-' },
  { title: 'DIRECTORY', text: ({ cwd }) => cwd, shrink: 'middle', least: 10 },
  { title: 'ADOPTION', text: adoptionText, shrink: 'end', least: 12 },
]

export function agentList({ agents, offers }: Found, width: number, colors: Colors, now: Date): string {
  const losing = agents.filter(({ losses }) => losses.length > 0)
  return [
    renderTable(agents, columnsFor(now), width, colors),
    ...losing.map(({ pid, losses }) => `${pid} would lose: ${adoptionLossText(losses)}`),
    ...offerLines(offers),
    'adopt one with: outpool adopt PID, or all with: outpool adopt --all',
  ].join('\n')
}

/** Accounts that are used here and not configured, with the line for `outpool.yaml`. */
export const offerLines = (offers: readonly AccountOffer[]): string[] =>
  offers.length === 0
    ? []
    : [
        'not in outpool.yaml; to add to pool.accounts, then start `outpool up` again:',
        ...offers.map(
          ({ name, configDir }) => `    - { name: ${name}, configDir: ${JSON.stringify(configDir)} }`,
        ),
      ]

/** A socket of tmux is named only if it is not the usual one. */
function terminalText({ terminal }: FoundAgent): string {
  if (terminal === null) return 'no terminal'
  if (terminal.kind === 'tty') return terminal.path
  const { socket, pane, session, window, index } = terminal
  const server = socket.endsWith('/default') ? '' : ` on ${socket}`
  return `${session}:${window}.${index} (${pane})${server}`
}

function stateText({ activity, waitingFor, since }: FoundAgent, now: Date): string {
  if (activity === null) return '-'
  const what = activity === 'shell' ? 'idle, a shell runs' : activity
  const why = activity === 'waiting' && waitingFor !== null ? ` (${waitingFor})` : ''
  return `${what}${why}${since === null ? '' : ` for ${span(now.getTime() - Date.parse(since))}`}`
}

function adoptionText({ refusal, losses }: FoundAgent): string {
  if (refusal !== null) return `no: ${adoptionRefusalText(refusal)}`
  return losses.length === 0 ? 'yes' : 'yes, with a loss'
}
