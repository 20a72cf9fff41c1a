/** A process with all that descends from it: who may speak for a service, and what is left when its first process is gone. */
import { readdirSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import { hasProc, statFields } from './processes.js'

interface Entry {
  pid: number
  parent: number
  /** The leader of its terminal session; null where the system does not say. */
  session: number | null
  /** ms since the epoch. */
  startedAt: number
}

/** Ticks of the system's clock per second: fixed at 100 for what Linux tells programs. */
const ticksPerSecond = 100

/** The process, its descendants, and those of its terminal session whose parents have ended; each with its start. */
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

/** When a process started, ms since the epoch; null where there is none. */
export async function startedAtOf(pid: number): Promise<number | null> {
  if (hasProc) return linuxEntry(pid)?.startedAt ?? null
  return (await everyProcess()).find((entry) => entry.pid === pid)?.startedAt ?? null
}

/**
 * Processes of this user whose environment holds `name=value`, the ones without a parent among them: they stay marked
 * wherever they fork to. Empty where the system does not tell environments.
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

/** Read each time: the system's clock may be set anew, and then this moves with it. */
function bootedAt(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]) * 1_000
}

const numbersIn = (folder: string): number[] => readdirSync(folder).map(Number).filter(Number.isInteger)
