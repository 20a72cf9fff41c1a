/** What tmux says of a pane: the format that it is asked for, and how a line of it is read. */

/** One line of `tmux list-panes`, for a pane that Outpool made. */
export interface Pane {
  id: string
  session: string
  fence: number
  pid: number
  dead: boolean
  /** Exit status of a dead pane's process, or null where a signal ended it. */
  exitStatus: number | null
  exitSignal: number | null
  /** When its process ended, ms since the epoch in whole seconds; null while it runs, or where tmux is too old to say. */
  deadAt: number | null
  /** Last output of the pane, ms since the epoch. */
  activeAt: number
  /** Whether a person is in the pane now, or has been since it was made. */
  visited: 'now' | 'before' | 'never'
}

/** The fence of a pane in which no agent stands, but the program that keeps what a person types meanwhile. */
export const noAgentFence = 0

/** Between the fields of what tmux prints. */
export const separator = '|'
/** For `tmux list-panes -F`; `parsePane` reads what comes of it. */
export const paneFormat = [
  '#{pane_id}',
  '#{@outpool_session}',
  '#{@outpool_fence}',
  '#{pane_pid}',
  '#{pane_dead}',
  '#{pane_dead_status}',
  '#{pane_dead_signal}',
  '#{pane_dead_time}',
  '#{window_activity}',
  '#{session_attached}',
  '#{session_last_attached}',
].join(separator)

/** Nothing for a pane that Outpool did not make. */
export function parsePane(line: string): Pane[] {
  const [id, session, fence, pid, dead, exitStatus, exitSignal, deadTime, activity, attached, lastAttached] =
    line.split(separator)
  if (!id || !session || !fence) return []
  return [
    {
      id,
      session,
      fence: Number(fence),
      pid: Number(pid),
      dead: dead === '1',
      exitStatus: exitStatus ? Number(exitStatus) : null,
      exitSignal: exitSignal ? Number(exitSignal) : null,
      deadAt: deadTime ? Number(deadTime) * 1000 : null,
      activeAt: Number(activity) * 1000,
      visited: Number(attached) > 0 ? 'now' : lastAttached ? 'before' : 'never',
    },
  ]
}

/** Whether its end is seen and not yet explained: tmux closes a pane when its terminal ends, and reaps the process right after. */
export const isExitUnknown = ({ dead, exitStatus, exitSignal }: Pane): boolean =>
  dead && exitStatus === null && exitSignal === null
