/** The state of a pool's workflow, in one object that is carried over at continue-as-new. */
import type { HostReports } from '../../policy/notices/hostReport.js'
import type { NoticeBoard } from '../../policy/notices/notice.js'
import { newBoard } from '../../policy/notices/notices.js'
import type { PoolSettings } from '../../policy/pool/lease.js'
import { firstFence } from '../fences.js'
import type { DecisionLine } from './decisionLog.js'
import { newPoolState, type PoolState } from '../../policy/pool/transitions.js'

export interface PoolWorkflowState {
  /** Accounts, leases and the waitlist (policy/pool/transitions.ts). */
  pool: PoolState
  notices: NoticeBoard
  /** What the hosts have reported. Absent while none has. */
  hosts?: HostReports
  /** Hosts that are not heard of, of which their sessions were notified (silence.ts). */
  silentHosts?: string[]
  /** The newest decisions in words, oldest first (decisionLog.ts). Absent before the first. */
  story?: DecisionLine[]
  /** When the leases were last compared with the sessions that run. */
  reconciledAt: string
}

export function newState(settings: PoolSettings, now: string): PoolWorkflowState {
  return {
    pool: { ...newPoolState(settings), fence: firstFence(now) },
    notices: newBoard,
    reconciledAt: now,
  }
}
