/** Tasks of the loop: what is recorded of a run, and how it counts for the next one. */

export const taskKinds = ['imap', 'agent', 'run'] as const
type TaskKind = (typeof taskKinds)[number]

/** The outcome of one run of a task. */
export interface TaskOutcome {
  ok: boolean
  /** Why it failed, in one sentence without any content of mails, outputs or conversations, or null. */
  error: string | null
  /** What it did, in a few words. */
  summary: string
  /** The file on the task's host that keeps its output or answer, or null. */
  file: string | null
}

/** A task after its newest run, as `outpool tasks` shows it. */
export interface TaskRecord {
  name: string
  kind: TaskKind
  host: string
  lastResult: { ok: boolean; at: string; error: string | null } | null
  /** Failed runs in a row. */
  failures: number
  summary: string | null
  file: string | null
  /** One sentence that says what a person should do, or null. */
  attention: string | null
}

/** A row of `outpool tasks --json`. */
export interface TaskView {
  name: string
  kind: TaskKind
  /** As written in `outpool.yaml`. */
  every: string
  lastRunAt: string | null
  lastResult: TaskRecord['lastResult']
  failures: number
  /** Null while the task is paused or not set up. */
  nextRunAt: string | null
  running: boolean
  paused: boolean
  attention: string | null
}

export interface TaskRun {
  name: string
  kind: TaskKind
  host: string
  /** Failures in a row from which on a person should look at the task. */
  attentionAfter: number
}

/** The record after a run that ended at `at`. */
export function recordAfterRun(task: TaskRun, before: number, outcome: TaskOutcome, at: string): TaskRecord {
  const { name, kind, host, attentionAfter } = task
  const { ok, error, summary, file } = outcome
  const failures = ok ? 0 : before + 1
  const often = failures === 1 ? '' : ` ${failures} times in a row`
  const attention = failures >= attentionAfter ? `task ${name} failed${often}: ${error ?? summary}` : null
  return { name, kind, host, lastResult: { ok, at, error }, failures, summary, file, attention }
}

export const failedOutcome = (error: string, file: string | null = null): TaskOutcome => ({
  ...{ ok: false, error, summary: error, file },
})
