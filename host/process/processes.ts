/** Processes of this host, each named by its id and its start, so that a reused id is never taken for the old process. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'

export interface ProcessRef {
  pid: number
  /** When it started, in the system's own words; equal for the same process only. */
  start: string
}

export const hasProc = existsSync('/proc/self/stat')

/**
 * The start of a live process, or null when there is none with this id. A zombie counts as ended, unless threads of it are
 * still at work: its first thread is one as soon as it has exited, and another may be in the middle of a last write.
 */
export async function processStart(pid: number): Promise<string | null> {
  if (hasProc) {
    const fields = statFields(pid)
    return fields === null || hasEnded(fields) ? null : (fields[19] ?? null)
  }
  const { stdout, exitCode } = await execa('ps', ['-o', 'lstart=', '-p', String(pid)], { reject: false })
  return exitCode === 0 && stdout.trim() !== '' ? stdout.trim() : null
}

export async function isAlive(process: ProcessRef): Promise<boolean> {
  return (await processStart(process.pid)) === process.start
}

/** Field 20 counts the threads, a dead first one included. */
const hasEnded = ([state, ...others]: string[]): boolean => state === 'Z' && Number(others[16]) <= 1

/** The fields of /proc/<pid>/stat from the third on (`state`, `ppid`, `pgrp`, `session`, ...): the second may hold spaces. */
export function statFields(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

/** Whether a job of the system's (stopped by a signal) will not run until somebody continues it. */
export function isStopped(pid: number): boolean {
  return ['T', 't'].includes(statFields(pid)?.[0] ?? '')
}

/** Whatever its threads have started. Where the system can't be asked at all, the answer is yes: nothing busy is killed. */
export async function hasChildren(pid: number): Promise<boolean> {
  if (!hasProc) {
    const { stdout, exitCode } = await execa('ps', ['-A', '-o', 'ppid='], { reject: false })
    return exitCode !== 0 || stdout.split('\n').some((parent) => Number(parent) === pid)
  }
  try {
    return readdirSync(`/proc/${pid}/task`).some(
      (thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim() !== '',
    )
  } catch {
    return false
  }
}

/** The live processes of the group that `leader` leads, itself among them. Linux only; elsewhere none. */
export const processesOfGroup = (leader: number): number[] => processesWith(2, new Set([leader]))

/** Processes whose field of `statFields` is one of these numbers. */
function processesWith(field: number, wanted: ReadonlySet<number>): number[] {
  if (!hasProc) return []
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && wanted.has(Number(statFields(pid)?.[field])))
}

/** Processes of the terminal sessions that these led; they outlive them when those were killed hard. */
const orphansOf = (leaders: ReadonlySet<number>): number[] =>
  processesWith(3, leaders).filter((pid) => !leaders.has(pid))

/**
 * Ends a pane's process: TERM, wait, KILL of its group, then whatever of its terminal session is left.
 * Answers how it ended; false when it is still there after all.
 */
export async function endProcess(
  process: ProcessRef,
  graceMs: number,
): Promise<'gone' | 'term' | 'kill' | false> {
  if (!(await isAlive(process))) {
    if (!sweptProcesses.has(keyOf(process))) sweepOrphans(process)
    return 'gone'
  }
  const hadChildren = await hasChildren(process.pid)
  // A stopped process acts on TERM only once it runs again.
  signal(process.pid, 'SIGTERM')
  signal(process.pid, 'SIGCONT')
  if (await hasEndedWithin(process, graceMs)) {
    if (hadChildren) sweepOrphans(process)
    else sweepOrphansSoon(process)
    return 'term'
  }
  signal(-process.pid, 'SIGKILL')
  signal(process.pid, 'SIGKILL')
  sweepOrphans(process)
  return (await hasEndedWithin(process, killWait)) && 'kill'
}

/**
 * Ended processes that nothing is left of, or soon will be. Each step of a rescue makes sure that the process before is gone, and
 * one look at the whole process table is enough for all of them. The newest are kept.
 */
const sweptProcesses = new Set<string>()
const maxSweptProcesses = 1_000

const keyOf = ({ pid, start }: ProcessRef): string => `${pid} ${start}`

function markSwept(process: ProcessRef): void {
  sweptProcesses.add(keyOf(process))
  const [oldest] = sweptProcesses
  if (sweptProcesses.size > maxSweptProcesses && oldest !== undefined) sweptProcesses.delete(oldest)
}

function sweepOrphans(process: ProcessRef): void {
  markSwept(process)
  killOrphans(process.pid)
}

function killOrphans(...leaders: number[]): void {
  for (const pid of orphansOf(new Set(leaders))) signal(pid, 'SIGKILL')
}

/**
 * A process that ended by itself and had no children can have left nothing but orphans of its terminal session. Looking
 * for them means reading the whole process table, so that one look does for all that ended within a moment.
 */
const sweepAfter = 250
const awaitingSweep = new Set<number>()

function sweepOrphansSoon(process: ProcessRef): void {
  markSwept(process)
  awaitingSweep.add(process.pid)
  if (awaitingSweep.size > 1) return
  setTimeout(() => {
    const leaders = [...awaitingSweep]
    awaitingSweep.clear()
    killOrphans(...leaders)
  }, sweepAfter)
}

/** KILL is not refused, but a process in uninterruptible I/O ends only when that does. */
const killWait = 5_000

async function hasEndedWithin(process: ProcessRef, ms: number): Promise<boolean> {
  const until = performance.now() + ms
  for (let pause = 2; ; pause = Math.min(pause * 2, 100)) {
    if (!(await isAlive(process))) return true
    if (performance.now() >= until) return false
    await delay(pause)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended by itself in between, which is what was wanted.
  }
}
