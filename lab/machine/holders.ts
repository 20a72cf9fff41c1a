/**
 * Law 3 observed from outside: which live processes hold a conversation, checked again and again while a test
 * runs.
 */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * Live processes of the agent program whose command line names the conversation. A child that was just forked
 * and has not yet become another program still looks like its parent, and does not count as a second holder.
 */
export function holdersOf(sessionId: string): number[] {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    const parent = Number.isInteger(pid) ? parentIfHolder(pid, sessionId) : null
    if (parent !== null) parents.set(pid, parent)
  }
  return [...parents].filter(([, parent]) => !parents.has(parent)).map(([pid]) => pid)
}

/** The parent of a process that holds the conversation; null for any other process. */
function parentIfHolder(pid: number, sessionId: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const isHolder = state !== 'Z' && args.includes(sessionId) && /claude/.test(args[0] ?? '')
    return isHolder ? Number(parent) : null
  } catch {
    return null
  }
}

/** Records every moment at which more than one process holds the conversation. */
export function watchHolders(sessionId: string): { stop(): number[][] } {
  const doubles: number[][] = []
  const timer = setInterval(() => {
    const pids = holdersOf(sessionId)
    if (pids.length > 1) doubles.push(pids)
  }, 15)
  return {
    stop: () => {
      clearInterval(timer)
      return doubles
    },
  }
}
