/** Processes of this host, identified by id and start, so that a reused id is never taken for the old process. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { statFields } from '../../config/state/procStat.js'
import { hasEnded } from '../../policy/procStat.js'
import { isMissing } from '../../policy/errorFacts.js'

export interface ProcessRef {
  pid: number
  /** When it started, in the format of the system; equal only for the same process. */
  start: string
}

export const hasProc = existsSync('/proc/self/stat')

/**
 * The start of a live process, or null if there is none with this id. A zombie counts as ended, unless it still has running
 * threads: the process becomes a zombie when its first thread exits, while another may still be writing.
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

/** Whether the process was stopped by a signal, such as SIGSTOP, and has to be continued. */
export function isStopped(pid: number): boolean {
  return ['T', 't'].includes(statFields(pid)?.[0] ?? '')
}

/** Whether any of its threads has child processes. True if that can't be found out, so that nothing busy is killed. */
export async function hasChildren(pid: number): Promise<boolean> {
  if (!hasProc) {
    const { stdout, exitCode } = await execa('ps', ['-A', '-o', 'ppid='], { reject: false })
    return exitCode !== 0 || stdout.split('\n').some((parent) => Number(parent) === pid)
  }
  const threads = `/proc/${pid}/task`
  try {
    return readdirSync(threads).some((thread) => hasChildrenOf(join(threads, thread)))
  } catch (error) {
    return !isMissing(error)
  }
}

/** A thread may end while the others are read. Throws if it exists and can't be read. */
function hasChildrenOf(thread: string): boolean {
  try {
    return readFileSync(join(thread, 'children'), 'utf8').trim() !== ''
  } catch (error) {
    if (existsSync(thread)) throw new Error(`the children of ${thread} can't be read`, { cause: error })
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

/** Processes in the terminal sessions of these leaders, which survive when the leaders are killed. */
const orphansOf = (leaders: ReadonlySet<number>): number[] =>
  processesWith(3, leaders).filter((pid) => !leaders.has(pid))

/**
 * Ends a pane's process: TERM, wait, KILL of its group, and KILL of what remains of its terminal session.
 * Returns how it ended, or false if it still runs.
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
 * Ended processes whose orphans were ended, or will be soon. Each step of a rescue makes sure that the previous process is gone,
 * but one scan of the process table is enough for all steps. Only the newest entries are kept.
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
 * A process that ended by itself without children can only have left orphans of its terminal session. Finding them means
 * reading the whole process table, so one scan serves all processes that ended within this time.
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

/** KILL always works, but a process in uninterruptible I/O ends only when the I/O does. */
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
    // It has ended meanwhile.
  }
}
