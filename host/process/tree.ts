/** A process and its descendants: which processes belong to a service, and what remains when its first process has ended. */
import { readdirSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import { statFields } from '../../config/state/procStat.js'
import { hasProc } from './processes.js'

interface Entry {
  pid: number
  parent: number
  /** The leader of its terminal session; null if the system does not tell. */
  session: number | null
  /** ms since the epoch. */
  startedAt: number
}

/** Ticks per second in `/proc`: always 100 on Linux. */
const ticksPerSecond = 100

/** The process, its descendants and the other processes of its terminal session, each with its start. */
export async function processTree(root: number): Promise<Map<number, number>> {
  const all = await everyProcess()
  const tree = new Map<number, number>()
  for (const { pid, session, startedAt } of all)
    if (pid === root || session === root) tree.set(pid, startedAt)
  for (let before = -1; before !== tree.size;) {
    before = tree.size
    for (const { pid, parent, startedAt } of all) if (tree.has(parent)) tree.set(pid, startedAt)
  }
  return tree
}

/** When a process started, ms since the epoch; null if there is none. */
export async function startedAtOf(pid: number): Promise<number | null> {
  if (hasProc) return linuxEntry(pid)?.startedAt ?? null
  return (await everyProcess()).find((entry) => entry.pid === pid)?.startedAt ?? null
}

/**
 * The topmost processes of this user whose environment holds `name=value`, which forks inherit. Empty if the system does not
 * show environments.
 */
export function markedRoots(name: string, value: string): number[] {
  if (!hasProc) return []
  const wanted = `${name}=${value}`
  const marked = numbersIn('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(wanted)
    } catch {
      return false
    }
  })
  const live = marked.flatMap((pid) => linuxEntry(pid) ?? [])
  const pids = new Set(live.map(({ pid }) => pid))
  return live
    .filter(({ parent }) => !pids.has(parent))
    .sort((a, b) => a.startedAt - b.startedAt || a.pid - b.pid)
    .map(({ pid }) => pid)
}

async function everyProcess(): Promise<Entry[]> {
  if (hasProc) return numbersIn('/proc').flatMap((pid) => linuxEntry(pid) ?? [])
  const { stdout } = await execa('ps', ['-axo', 'pid=,ppid=,lstart='], {
    reject: false,
    env: { LC_ALL: 'C' },
  })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, start = ''] = /^\s*(\d+)\s+(\d+)\s+(.+)$/.exec(line) ?? []
    return pid === undefined
      ? []
      : [{ pid: Number(pid), parent: Number(parent), session: null, startedAt: Date.parse(start) }]
  })
}

function linuxEntry(pid: number): Entry | null {
  const fields = statFields(pid)
  if (fields === null || fields[0] === 'Z') return null
  const startedAt = bootedAt() + (Number(fields[19]) / ticksPerSecond) * 1_000
  return { pid, parent: Number(fields[1]), session: Number(fields[3]), startedAt }
}

/** Read each time, because it changes when the system's clock is set. */
function bootedAt(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]) * 1_000
}

const numbersIn = (folder: string): number[] => readdirSync(folder).map(Number).filter(Number.isInteger)
