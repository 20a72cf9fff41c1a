/** What a session shows of itself in the engine: search attributes, memo and the details page of the Web UI. */
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  type SearchAttributeUpdatePair,
} from '@temporalio/common'
import { setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow'
import { searchAttributes } from '../../policy/ids.js'
import { clock as clockOf } from '../../policy/instants.js'
import { sessionMemo } from '../messages.js'
import { attentionOf, details, type SessionState } from './state.js'

const keys = {
  phase: defineSearchAttributeKey(searchAttributes.phase, SearchAttributeType.KEYWORD),
  account: defineSearchAttributeKey(searchAttributes.account, SearchAttributeType.KEYWORD),
  substrate: defineSearchAttributeKey(searchAttributes.substrate, SearchAttributeType.KEYWORD),
  host: defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD),
  agent: defineSearchAttributeKey(searchAttributes.agent, SearchAttributeType.KEYWORD),
  walledUntil: defineSearchAttributeKey(searchAttributes.walledUntil, SearchAttributeType.DATETIME),
  rescues: defineSearchAttributeKey(searchAttributes.rescues, SearchAttributeType.INT),
  attention: defineSearchAttributeKey(searchAttributes.attention, SearchAttributeType.BOOL),
}

/** Shows the state where it changed: each kind of change is one event, so nothing is written twice. */
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
    if (memo !== this.#shownMemo) upsertMemo({ [sessionMemo]: row })
    this.#shownMemo = memo

    setCurrentDetails(page(state, rescueLog))
  }
}

/** For workflows that are no session: whether a person should look at this one. */
export const showAttention = (value: boolean): void =>
  upsertSearchAttributes([{ key: keys.attention, value }])

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
    { key: keys.attention, value: attentionOf(state) !== null },
  ]
}

function page(state: SessionState, log: SessionState['rescueLog']): string {
  const attention = attentionOf(state)
  const rows = log.slice(-10).map(({ n, cause, from, to, startedAt, result }) => {
    const where = `${from ?? 'nowhere'} → ${to ?? (result === null ? '…' : 'parked')}`
    return `- ${clock(startedAt)} UTC, move ${n}, **${cause}**: ${where} (${result ?? 'under way'})`
  })
  return [
    `**${shownPhase(state)}** on **${state.place?.name ?? 'no account yet'}**: ${nextStep(state)}`,
    attention === null ? '' : `\n**For a person:** ${attention}`,
    `\n\`${state.cwd}\` · ${state.agent} ${state.model ?? ''} · conversation \`${state.sessionId}\``,
    // A list: the Web UI sets tables without any space between their columns.
    rows.length === 0 ? '' : `\n${rows.join('\n')}`,
  ].join('\n')
}

/** The workflow is not woken at each turn, so it knows that the agent is up, not whether it works or rests. */
const shownPhase = ({ phase }: SessionState): string =>
  phase === 'working' || phase === 'idle' ? 'up' : phase

function nextStep(state: SessionState): string {
  if (state.phase === 'parked') return `tries again at ${clock(state.parkedUntil)}`
  if (state.phase === 'rescuing') return 'moving, with its whole conversation'
  if (state.phase === 'paused') return 'until somebody resumes it'
  if (state.phase === 'stopped') return 'over'
  if (state.phase === 'waiting') return state.waiting?.what ?? 'for a person'
  if (state.inbox.length > 0) return `watched; ${state.inbox.length} texts wait for the end of the turn`
  return 'watched'
}

/** `21:50`, with the date where it is not today's. */
export function clock(instant: string | null): string {
  return instant === null ? 'a time not known' : clockOf(Date.parse(instant), Date.now())
}
