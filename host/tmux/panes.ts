/** How tmux describes a pane: the requested format, and the parser for a line of it. */

/** One line of `tmux list-panes`, for a pane that Outpool created. */
export interface Pane {
  id: string
  session: string
  fence: number
  pid: number
  dead: boolean
  /** Of a dead pane's process; null if a signal ended it. */
  exitCode: number | null
  exitSignal: number | null
  /** When its process ended, ms since the epoch in whole seconds; null while it runs, or if tmux is too old to tell. */
  deadAt: number | null
  /** Last output of the pane, ms since the epoch. */
  activeAt: number
  /** Whether a person is attached to the pane now, or was at some time since it was created. */
  visited: 'now' | 'before' | 'never'
}

/** The fence of a pane in which no agent runs, but the program that saves what a person types meanwhile. */
export const noAgentFence = 0

/** Separates the fields of tmux's output. */
export const separator = '|'
/** For `tmux list-panes -F`; parsed by `parsePane`. */
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

/** Empty for a pane that Outpool did not create. */
export function parsePane(line: string): Pane[] {
  const [id, session, fence, pid, dead, exitCode, exitSignal, deadTime, activity, attached, lastAttached] =
    line.split(separator)
  if (!id || !session || !fence) return []
  return [
    {
      id,
      session,
      fence: Number(fence),
      pid: Number(pid),
      dead: dead === '1',
      exitCode: exitCode ? Number(exitCode) : null,
      exitSignal: exitSignal ? Number(exitSignal) : null,
      deadAt: deadTime ? Number(deadTime) * 1000 : null,
      activeAt: Number(activity) * 1000,
      visited: Number(attached) > 0 ? 'now' : lastAttached ? 'before' : 'never',
    },
  ]
}

/** Whether tmux does not know yet how the process ended: it closes a pane when the terminal ends, and reaps the process after that. */
export const isExitUnknown = ({ dead, exitCode, exitSignal }: Pane): boolean =>
  dead && exitCode === null && exitSignal === null

/** How the process of a dead pane ended: `exit code 3` or `signal 9`. */
export const describeExit = ({ exitCode, exitSignal }: Pane): string =>
  exitSignal !== null ? `signal ${exitSignal}` : `exit code ${exitCode ?? '?'}`

/**
 * tmux expands `#` in folders and in what it draws. Of these, it leaves `##[` as it is in a folder: that folder is not found then, and
 * nothing is run.
 */
export const escapeFormat = (text: string): string => text.replaceAll('#', '##')
