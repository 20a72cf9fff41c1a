/** Runs `outpool rehearse` for an agent program in the background. */
import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { programArguments } from '../../config/hostPrograms.js'

const entry = fileURLToPath(new URL('../../rehearsal/main.js', import.meta.url))

/** Characters of what it has said last, for the log. */
const maxSaid = 300

/**
 * Resolves when it has ended, with what it said last; its verdict is in the home. If the signal aborts it ends early, and so it does if
 * this process dies. `program` is given by itself, not by its configuration: only a worker knows which content of that is trusted.
 */
export function runRehearsal(program: string, signal: AbortSignal): Promise<string> {
  const option = (name: string): string | null => (name === 'program' ? program : null)
  const args = programArguments('rehearse', { option, flag: () => false })
  if (signal.aborted) return Promise.resolve('it was to stop before it began')
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, entry, ...args], {
      // The channel carries no messages. It breaks when this process ends, even by KILL, and then the rehearsal ends too.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    // At once: everything that it starts inherits it.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
    const end = (): void => void child.kill('SIGTERM')
    signal.addEventListener('abort', end)
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-maxSaid)
    })
    const ended = (): void => {
      signal.removeEventListener('abort', end)
      resolve(said.trim().replaceAll(/\s+/g, ' '))
    }
    child.once('error', ended)
    child.once('close', ended)
  })
}
