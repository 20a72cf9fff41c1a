/** Whether a session that is at rest should move now: a failback, a substrate's budget, a lost login, or a limit that is near. */
import type { RunningTask } from '../../policy/session/backgroundTasks.js'
import { isWaitingForTasks } from '../../policy/session/backgroundTasks.js'
import { spentBudgetWall } from '../../policy/account/spend.js'
import { moveThreshold } from '../../policy/account/windows.js'
import { shouldMove } from '../../policy/session/plannedMove.js'
import { elapsed } from '../../policy/instants.js'
import type { Host } from '../../host/host.js'
import type { WatchRequest } from '../contracts.js'
import type { WatchOutcome } from './turnFailures.js'

/** Null: the session stays. `background`: what runs in the agent's background now. */
export async function outcomeAtTurnEnd(
  host: Host,
  request: WatchRequest,
  background: readonly RunningTask[],
): Promise<WatchOutcome | null> {
  const { session, fence, place, stayUntil } = request
  const canMove = async (): Promise<boolean> =>
    !waitsForBackground(host, request, background) && !(await isPersonTyping(host, session))
  // An earlier failback found no room: the request remains, but is not followed again before `stayUntil`.
  const isToStay = stayUntil !== null && Date.now() < Date.parse(stayUntil)
  if (!isToStay && host.records.isFailbackRequested(session, fence))
    return (await canMove()) ? { kind: 'ready-for-failback' } : null
  if (place.kind === 'substrate') {
    const wall = spentBudgetWall(host.quota.read(place.name).windows, new Date().toISOString())
    return wall === null ? null : { kind: 'spent', wall }
  }
  const move = plannedMove(host, request)
  if (move === null) {
    host.backgroundWork.clearMoveDue(session, fence)
    return null
  }
  if (!(await canMove())) return null
  switch (move.cause) {
    case 'login':
      return { kind: 'login', text: move.why }
    case 'move':
      return { kind: 'leaving', why: move.why }
    case 'near-limit':
      return { kind: 'near-limit', why: move.why, wall: move.wall }
  }
}

function plannedMove(host: Host, { place, model, stayUntil }: WatchRequest): ReturnType<typeof shouldMove> {
  const { pool, reserved, timing } = host.config
  const account = pool.accounts.find(({ name }) => name === place.name)
  const isReserved = reserved.some(({ name }) => name === place.name)
  const criteria = {
    model,
    stayUntil,
    // An account that is no longer configured is left like one that is being drained.
    isLeaving: account?.drain ?? !isReserved,
    moveThreshold: moveThreshold(pool.moveAt, account?.ceiling ?? 1),
    wakeMargin: timing.wakeMargin,
  }
  return shouldMove(host.quota.read(place.name), criteria, new Date().toISOString())
}

/** A build, a test run or a subagent is work in progress: a planned move waits for it, up to `backgroundWaitMax`. */
function waitsForBackground(
  host: Host,
  { session, fence }: WatchRequest,
  background: readonly RunningTask[],
): boolean {
  if (background.length === 0) return false
  const now = new Date().toISOString()
  const since = host.backgroundWork.moveDueSince(session, fence, now)
  return isWaitingForTasks(background, since, host.config.timing.backgroundWaitMax, now)
}

/** A planned move doesn't interrupt a person who is typing. */
async function isPersonTyping(host: Host, session: string): Promise<boolean> {
  const lastKey = await host.tmux.lastKeyAt(session)
  return lastKey !== null && elapsed(lastKey, Date.now()) < host.config.timing.keysQuiet
}
