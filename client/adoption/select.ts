/** Which agents of a list a person means, and what their sessions are called. */
import { realpathSync } from 'node:fs'
import { basename, resolve, sep } from 'node:path'
import type { FoundAgent } from '../../config/state/foundAgents.js'
import { unusedName } from '../../config/accountNames.js'
import { namePattern } from '../../policy/ids.js'
import { UsageError } from '../errors.js'

/** Enough letters of an id to tell two conversations apart. */
const shortestPrefix = 6

/** The agent that is named by its pane, process or conversation; null if none is. Throws UsageError if it could be several. */
export function agentNamed(what: string, agents: readonly FoundAgent[]): FoundAgent | null {
  const found = agents.filter((agent) => isNamed(what, agent))
  if (found.length <= 1) return found[0] ?? null
  throw new UsageError(
    `${what} could be any of the processes ${found.map(({ pid }) => pid).join(', ')}`,
    'name one of them by the number of its process',
  )
}

function isNamed(what: string, { pid, sessionId, terminal }: FoundAgent): boolean {
  if (/^\d+$/.test(what)) return pid === Number(what)
  if (terminal?.kind === 'tmux') {
    const { pane, session, window, index } = terminal
    if ([pane, `${session}:${window}.${index}`, `${session}:${window}`, session].includes(what)) return true
  }
  if (terminal?.kind === 'tty' && terminal.path === what) return true
  return what.length >= shortestPrefix && sessionId?.startsWith(what) === true
}

/** Those that work in this folder or below it. */
export function agentsUnder(folder: string, agents: readonly FoundAgent[]): FoundAgent[] {
  const root = realFolder(folder)
  return agents.filter(({ cwd }) => cwd === root || cwd.startsWith(root.endsWith(sep) ? root : root + sep))
}

function realFolder(written: string): string {
  try {
    return realpathSync.native(resolve(written))
  } catch {
    throw new UsageError(`the folder ${resolve(written)} does not exist`, 'name one that does with --under')
  }
}

/** Named after the folder in which it works. */
export function sessionNameFor(cwd: string, taken: readonly string[]): string {
  const plain = basename(cwd)
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '')
    .slice(0, 50)
  return unusedName(namePattern.test(plain) ? plain : 'adopted', taken)
}
