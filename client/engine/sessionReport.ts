/** What `outpool show` prints of one session: the workflow's description, updated with what this host's worker sees. */
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import type { Engine } from './engine.js'
import { querySession, findSession, finalState } from './session.js'
import { markSilent, readHeardHosts } from './silence.js'
import { type RescueRow, type SessionCard, toSessionView, mergeLiveState } from './sessionRows.js'

/** A worker answers in milliseconds; without one the engine lets the query wait. */
const answerWithinMs = 2_000

export interface SessionReport {
  card: SessionCard
  running: boolean
  /** Null if no worker answered; the card is then the last stored state. */
  rescueLog: RescueRow[] | null
}

/** Throws FailedError if there is no session of this name. */
export async function readSessionReport(engine: Engine, home: Home, name: string): Promise<SessionReport> {
  const found = await findSession(engine, name)
  const { running } = found
  const answer = running ? await querySession(engine, name, answerWithinMs) : await finalState(engine, name)
  const card: SessionCard = answer ?? found.card
  return {
    card: running ? await currentCard(engine, home, card) : { ...card, phase: 'stopped' },
    running,
    rescueLog: answer?.rescueLog ?? null,
  }
}

async function currentCard(engine: Engine, home: Home, card: SessionCard): Promise<SessionCard> {
  const live = readLive(home)
  const heard = await readHeardHosts(engine, home, live, [card.host])
  const now = new Date()
  return markSilent(mergeLiveState(card, live, home, now), heard, home, now)
}

/** As `show --json` prints it. */
export function toSessionReportView({ card, rescueLog }: SessionReport) {
  const { tmuxSocket, pid, transcript, fork, since, models, fallback, pinnedTo, priority, startedAt } = card
  const more = { tmuxSocket, pid, transcript, fork, since, models, fallback, pinnedTo, priority, startedAt }
  return { ...toSessionView(card), ...more, ...activityFields(card), rescueLog }
}

/** Background tasks, the next wake-up and the open question; each only if there is one. */
const activityFields = ({ background = [], nextWakeUp, question }: SessionCard) => ({
  ...(background.length > 0 ? { background } : {}),
  ...(nextWakeUp ? { nextWakeUp } : {}),
  ...(question ? { question } : {}),
})
