/** Starts a program in a pane through a script that sets its environment and then executes it. */
import { join } from 'node:path'
import { shellQuoted } from '../../policy/shellWord.js'
import { writeFileAtomic } from '../state/atomicFile.js'

export interface LaunchScript {
  argv: string[]
  /** Absolute. The program is not started if it can't be entered. */
  cwd: string
  /** Added to the environment of the pane. */
  env: Record<string, string>
  /** A variable that holds the program's own process id. */
  pidVariable?: string
}

/** Exit status of a launch script that could not enter the folder. */
export const folderClosedExit = 72

/**
 * The environment may hold secrets, and the arguments of a process can be read by every user. So the environment goes through a
 * script (0600) that removes itself and executes the agent. `{ }` makes the shell read the whole script before it is removed. The script
 * also enters the folder, because tmux would expand its name, and would start the program elsewhere if it is gone.
 */
export function writeLaunchScript(folder: string, fence: number, plan: LaunchScript): string {
  const script = join(folder, `launch-${fence}.sh`)
  const exports = Object.entries(plan.env).map(([name, value]) => `export ${name}=${shellQuoted(value)}`)
  const pid = plan.pidVariable === undefined ? [] : [`export ${plan.pidVariable}=$$`]
  const enter = `cd -P -- ${shellQuoted(plan.cwd)} || exit ${folderClosedExit}`
  const run = `exec ${plan.argv.map(shellQuoted).join(' ')}`
  const lines = ['{', 'rm -f -- "$0"', ...exports, ...pid, enter, run, '}', '']
  writeFileAtomic(script, lines.join('\n'), { isDurable: false })
  return script
}
