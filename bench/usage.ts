/** What processes have used so far, as the kernel counts it. */
import { readFileSync } from 'node:fs'

/** Ticks of `/proc/<pid>/stat` per second; the same on every Linux that Node runs on. */
const ticksPerSecond = 100

export interface Usage {
  /** CPU time in ms: its own, and that of its children that have ended. */
  cpu: number
  /** Resident memory now, in MB. */
  rss: number
}

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // From field 3 on: the name in field 2 may hold blanks.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0)
  const [, rss = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return { cpu: (ticks * 1000) / ticksPerSecond, rss: Number(rss) / 1024 }
}
