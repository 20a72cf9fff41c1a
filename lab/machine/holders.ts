/**
 * Law 3 observed from outside: which live processes hold a conversation, checked again and again while a test
 * runs.
 */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * Live processes of the agent program whose command line names the conversation. A child that was just forked
 * and has not yet become another program still looks like its parent, and does not count as a second holder.
 */
export const holdersOf = (sessionId: string): number[] => holdersOfEach([sessionId])[0] ?? []

/** As `holdersOf` for each conversation, with one look at the processes of this machine. */
function holdersOfEach(sessionIds: readonly string[]): number[][] {
  const agents = readdirSync('/proc').flatMap((entry) => agentProcess(Number(entry)) ?? [])
  return sessionIds.map((sessionId) => {
    const holders = agents.filter(({ args }) => args.includes(sessionId))
    const pids = new Set(holders.map(({ pid }) => pid))
    return holders.filter(({ parent }) => !pids.has(parent)).map(({ pid }) => pid)
  })
}

/** Null for a process that is none of the agent program, or has ended. */
function agentProcess(pid: number): { pid: number; parent: number; args: string[] } | null {
  if (!Number.isInteger(pid)) return null
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    if (!/claude/.test(args[0] ?? '')) return null
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? null : { pid, parent: Number(parent), args }
  } catch {
    return null
  }
}

/** Records every moment at which more than one process holds one of the conversations. */
export function watchHolders(...sessionIds: readonly string[]): { stop(): number[][] } {
  const doubles: number[][] = []
  const timer = setInterval(() => {
    doubles.push(...holdersOfEach(sessionIds).filter(({ length }) => length > 1))
  }, 15)
  return {
    stop: () => {
      clearInterval(timer)
      return doubles
    },
  }
}
