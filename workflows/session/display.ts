/** What a session shows in the engine: search attributes, memo and the details page of the Web UI. */
import type { SearchAttributeUpdatePair } from '@temporalio/common'
import { proxySinks, setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow'
import { formatClock } from '../../policy/instants.js'
import { sessionMemo } from '../../policy/session/session.js'
import { attributeKeys as keys } from '../attributes.js'
import type { WorkflowSinks } from '../sinks.js'
import type { SessionState } from './state.js'
import { attentionOf, details } from './view.js'

const { sessions } = proxySinks<WorkflowSinks>()

/** Writes only what has changed: each write is an event of the history. */
export class Display {
  #shownAttributes = ''
  #shownMemo = ''

  show(state: SessionState): void {
    const attributes = attributesOf(state)
    const asText = JSON.stringify(attributes.map(({ key, value }) => [key.name, value]))
    if (asText !== this.#shownAttributes) upsertSearchAttributes(attributes)
    this.#shownAttributes = asText

    const { rescueLog, ...row } = details(state)
    const memo = JSON.stringify(row)
    if (memo !== this.#shownMemo) {
      upsertMemo({ [sessionMemo]: row })
      sessions.shown(row)
    }
    this.#shownMemo = memo

    setCurrentDetails(page(state, rescueLog))
  }
}

function attributesOf(state: SessionState): SearchAttributeUpdatePair[] {
  const { place, walledUntil } = state
  return [
    { key: keys.phase, value: state.phase },
    { key: keys.account, value: place?.kind === 'account' ? place.name : null },
    { key: keys.substrate, value: place?.kind === 'substrate' ? place.name : null },
    { key: keys.host, value: state.host },
    { key: keys.agent, value: state.agent },
    { key: keys.walledUntil, value: walledUntil === null ? null : new Date(walledUntil) },
    { key: keys.rescues, value: state.rescues },
    { key: keys.attention, value: attentionOf(state) !== null || state.hostSilentSince !== undefined },
  ]
}

function page(state: SessionState, log: SessionState['rescueLog']): string {
  const attention = attentionOf(state)
  const rows = log.slice(-10).map(({ n, cause, from, to, startedAt, result }) => {
    const where = `${from ?? 'nowhere'} → ${to ?? (result === null ? '…' : 'parked')}`
    return `- ${formatTime(startedAt)} UTC, move ${n}, **${cause}**: ${where} (${result ?? 'under way'})`
  })
  return [
    ...silence(state),
    `**${shownPhase(state)}** on **${state.place?.name ?? 'no account yet'}**: ${nextStep(state)}`,
    attention === null ? '' : `\n**For a person:** ${attention}`,
    `\n\`${state.cwd}\` · ${state.agent} ${state.model ?? ''} · conversation \`${state.sessionId}\``,
    // A list, since the Web UI shows tables without space between their columns.
    rows.length === 0 ? '' : `\n${rows.join('\n')}`,
  ].join('\n')
}

/** Nothing while the host is heard of. */
const silence = ({ host, hostSilentSince: since }: SessionState): string[] =>
  since === undefined
    ? []
    : [
        `**Not watched:** the worker of its host ${host} was last heard of at ${formatTime(since)} UTC. What follows was true then.\n`,
      ]

/** No message comes at each turn, so that the workflow knows that the agent is up, and not whether a turn runs. */
const shownPhase = ({ phase }: SessionState): string =>
  phase === 'working' || phase === 'idle' ? 'up' : phase

function nextStep(state: SessionState): string {
  if (state.phase === 'parked') return `tries again at ${formatTime(state.parkedUntil)}`
  if (state.phase === 'rescuing') return 'moving, with its whole conversation'
  if (state.phase === 'paused') return 'until a person resumes it'
  if (state.phase === 'stopped') return 'over'
  if (state.phase === 'waiting') return state.waiting?.what ?? 'for a person'
  if (state.inbox.length > 0) return `watched; ${state.inbox.length} texts wait for the end of the turn`
  return 'watched'
}

/** `21:50`, with the date if it is not today's. */
export function formatTime(instant: string | null): string {
  return instant === null ? 'an unknown time' : formatClock(Date.parse(instant), Date.now())
}
