/** How a program is started in a pane: through a script of ours that hands over its environment and becomes it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface LaunchScript {
  argv: string[]
  /** Added to what the pane has. */
  env: Record<string, string>
  /** A variable that holds the program's own process id. */
  pidVariable?: string
}

/**
 * The environment may hold secrets, and arguments of a process are for all to read: so the environment goes through a
 * file of ours (0600) that removes itself and becomes the agent. `{ }` makes the shell read it whole before it is gone.
 */
export function writeLaunchScript(folder: string, fence: number, plan: LaunchScript): string {
  const script = join(folder, `launch-${fence}.sh`)
  const exports = Object.entries(plan.env).map(([name, value]) => `export ${name}=${quote(value)}`)
  const pid = plan.pidVariable === undefined ? [] : [`export ${plan.pidVariable}=$$`]
  const lines = ['{', 'rm -f -- "$0"', ...exports, ...pid, `exec ${plan.argv.map(quote).join(' ')}`, '}', '']
  writeFileSync(script, lines.join('\n'), { mode: 0o600 })
  return script
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
