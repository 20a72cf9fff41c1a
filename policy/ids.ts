/** Every id that Outpool hands to Temporal, in one place. */

/** The task queue of work that may run on any host. */
export const commonQueue = 'outpool'

/** The task queue of work that belongs to one host: its tmux server, its config dirs, its transcripts. */
export const hostQueue = (hostId: string): string => `host:${hostId}`

export const sessionWorkflowId = (name: string): string => `session/${name}`
export const poolWorkflowId = (pool: string): string => `pool/${pool}`

/** Names of sessions, accounts and services: safe in workflow ids, file names and tmux targets alike. */
export const namePattern = /^[a-z0-9][a-z0-9_-]{0,62}$/

export const searchAttributes = {
  phase: 'OutpoolPhase',
  account: 'OutpoolAccount',
  substrate: 'OutpoolSubstrate',
  host: 'OutpoolHost',
  agent: 'OutpoolAgent',
  walledUntil: 'OutpoolWalledUntil',
  rescues: 'OutpoolRescues',
  attention: 'OutpoolAttention',
} as const
