/** Sessions as commands show them: what the engine has of each, updated with what this host's worker sees now. */
import type { Home } from '../../config/state/home.js'
import type { LiveQuestion, LiveFile } from '../../config/state/liveFile.js'
import type { RunningTask } from '../../policy/session/backgroundTasks.js'
import type { SessionMemo, SessionRow, SessionView } from '../../policy/session/session.js'
import { questionAttention } from '../../policy/session/question.js'

/** The memo, and what this host's worker observes. */
export interface SessionCard extends SessionMemo, LiveExtras {}

interface LiveExtras {
  background?: RunningTask[]
  question?: LiveQuestion | null
  /** Only of a session whose host is silent: when it was last heard of, or null if it never was. */
  silentSince?: string | null
}

/** A live file that is older than this has no worker: a worker writes it several times within this time. */
const liveForMs = 30_000

export const isFresh = (live: LiveFile | null, now: Date): boolean =>
  live !== null && now.getTime() - Date.parse(live.at) <= liveForMs

const liveFields = new Set(['working', 'idle', 'waiting'])

/** The worker sees turns begin and end, which the workflow is not notified of. */
export function mergeLiveState(card: SessionCard, live: LiveFile | null, home: Home, now: Date): SessionCard {
  const seen = live?.sessions[card.name]
  if (seen === undefined || !isFresh(live, now) || card.host !== home.hostId || !liveFields.has(card.phase))
    return card
  const asked = questionAttention(card.name, seen.waitingFor ?? 'an answer', Boolean(seen.question))
  // A dialog that is closed needs no attention any more; other problems don't end when the next turn begins.
  const known = card.phase === 'waiting' && seen.phase !== 'waiting' ? null : card.attention
  const attention = seen.phase === 'waiting' ? (known ?? asked) : known
  const { background = [], question = null } = seen
  const wakeUps = [card.nextWakeUp, seen.nextWakeUp].filter((at) => typeof at === 'string')
  const nextWakeUp = wakeUps.sort().at(0) ?? null
  const transcript = card.transcript ?? seen.transcript
  return { ...card, phase: seen.phase, attention, transcript, nextWakeUp, background, question }
}

/** A row of `ls --json`: exactly the keys of the contract, and `silentSince` while the host of the session is silent. */
export function toSessionView(card: SessionCard): SessionView & Pick<SessionCard, 'silentSince'> {
  const { name, phase, account, substrate, agent, sessionId, cwd, host, pane, model, rescues } = card
  const { walledUntil, parkedUntil, attention, silentSince } = card
  return {
    ...{ name, phase, account, substrate, agent, sessionId, cwd, host, pane, model, rescues },
    ...{ walledUntil, parkedUntil, attention },
    ...(silentSince === undefined ? {} : { silentSince }),
  }
}

/** A row of the tables: what `ls --json` has, the number of background tasks and the next wake-up. */
export const toSessionRow = (card: SessionCard): SessionRow => ({
  ...toSessionView(card),
  background: card.background?.length ?? 0,
  nextWakeUp: card.nextWakeUp ?? null,
})
