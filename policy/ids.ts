/** Every id that Outpool gives to Temporal. */

/** The task queue of work that may run on any host. */
export const commonQueue = 'outpool'

/** The task queue of work that belongs to one host: its tmux server, its config dirs, its transcripts. */
export const hostQueue = (hostId: string): string => `host:${hostId}`

export const sessionWorkflowId = (name: string): string => `session/${name}`
/** Null if it is not the id of a session. */
export const sessionOfWorkflow = (workflowId: string): string | null =>
  workflowId.startsWith('session/') ? workflowId.slice('session/'.length) : null
/** The schedule of a task. The engine appends the instant to it for the id of each run. */
export const loopScheduleId = (task: string): string => `loop/${task}`
/** The task of a schedule, or null if it is not the schedule of a task. */
export const taskOfSchedule = (id: string): string | null =>
  id.startsWith('loop/') ? id.slice('loop/'.length) : null
/** The session of an agent task. */
export const taskSessionName = (task: string): string => `task-${task}`
export const drillWorkflowId = (time: string): string => `drill/${time}`
/** The schedule of drills. The engine appends the instant to it for the id of each run. */
export const drillScheduleId = (pool: string): string => `drill/${pool}`
export const poolWorkflowId = (pool: string): string => `pool/${pool}`
export const watchdogWorkflowId = (service: string): string => `watchdog/${service}`
export const escalationWorkflowId = (service: string, incident: number): string =>
  `escalation/${service}/${incident}`

/** The session of an agent that is woken for an incident: the name of its pane and of its files on the host. */
export const wakeUpSessionName = (incident: number): string => `${wakeUpPrefix}${incident}`
const wakeUpPrefix = 'outpool-wakeup-'
/** Whether it is no session of a workflow, but an agent that an escalation has woken. */
export const isWakeUpName = (name: string): boolean => name.startsWith(wakeUpPrefix)

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
