/** The state of a pool's workflow, in one object that is carried over at continue-as-new. */
import type { NoticeBoard } from '../../policy/notices/notice.js'
import { newBoard } from '../../policy/notices/notices.js'
import type { PoolSettings } from '../../policy/pool/lease.js'
import { newPoolState, type PoolState } from '../../policy/pool/transitions.js'

export interface PoolWorkflowState {
  /** Accounts, leases and the waitlist (policy/pool/transitions.ts). */
  pool: PoolState
  notices: NoticeBoard
  /** When the leases were last compared with the sessions that run. */
  reconciledAt: string
}

/** The fence starts from the clock: hosts remember the newest one, and must not be given older ones if the database was lost. */
export function newState(settings: PoolSettings, now: string): PoolWorkflowState {
  return {
    pool: { ...newPoolState(settings), fence: Math.floor(Date.parse(now) / 1000) },
    notices: newBoard,
    reconciledAt: now,
  }
}
