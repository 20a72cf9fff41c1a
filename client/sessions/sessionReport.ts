/** What `outpool show` prints of one session: the workflow's description, updated with what this host's worker sees. */
import type { RescueRow } from '../../config/fleet/session.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import type { ReportedSession } from '../fleet/fleetSource.js'
import { heardHosts, markSilent } from './silentSessions.js'
import { type SessionCard, toSessionView, mergeLiveState } from './sessionRows.js'

export interface SessionReport {
  card: SessionCard
  running: boolean
  /** Null if no worker answered; the card is then the last stored state. */
  rescueLog: RescueRow[] | null
}

export function toSessionReport(home: Home, { listed, details, heard }: ReportedSession): SessionReport {
  const { running } = listed
  const card: SessionCard = details ?? listed.card
  return {
    card: running ? currentCard(home, card, heard) : { ...card, phase: 'stopped' },
    running,
    rescueLog: details?.rescueLog ?? null,
  }
}

function currentCard(home: Home, card: SessionCard, heard: ReportedSession['heard']): SessionCard {
  const live = readLive(home)
  const now = new Date()
  return markSilent(mergeLiveState(card, live, home, now), heardHosts(home, live, heard), home, now)
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
