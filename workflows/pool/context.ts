/** What the parts of a running pool share. */
import type { PoolHandlers } from './handlers.js'
import type { NoticeSender } from './notices.js'
import type { SilenceAnnouncer } from './silence.js'
import type { PoolWorkflowState } from './state.js'

export interface PoolContext {
  state: PoolWorkflowState
  handlers: PoolHandlers
  notices: NoticeSender
  silence: SilenceAnnouncer
  /** Probes that run on a host. */
  probing: number
}
