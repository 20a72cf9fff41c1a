/** Asks Outpool's tmux server of this host directly, without a worker. */
import { execFile } from 'node:child_process'
import type { Home } from '../../config/state/home.js'
import { FailedError } from '../errors.js'

/** A live tmux server answers at once, on a busy machine within seconds. Milliseconds. */
const answerWithin = 5_000

export const tmuxHungProblem = (home: Home): string => `the tmux server of ${home.dir} does not answer`
export const tmuxHungRemedy =
  'look whether its process is stopped or the machine is very busy, then try again'

/** Throws FailedError if tmux is missing or hangs. */
export async function hasPane(home: Home, name: string): Promise<boolean> {
  const { answer } = await ask(home, ['has-session', '-t', `=${name}`])
  if (answer === 'late') throw new FailedError(tmuxHungProblem(home), tmuxHungRemedy)
  if (answer === 'missing') throw new FailedError('tmux cannot be run', 'install tmux 3.2 or newer')
  return answer === 'yes'
}

/** The lines that the session's pane shows, without the empty ones at its end; null if it has no pane here. Throws FailedError if tmux hangs. */
export async function paneLines(home: Home, name: string): Promise<string[] | null> {
  const { answer, output } = await ask(home, ['capture-pane', '-p', '-t', `=${name}:`])
  if (answer === 'late') throw new FailedError(tmuxHungProblem(home), tmuxHungRemedy)
  return answer === 'yes' ? output.trimEnd().split('\n') : null
}

/** A server that does not run is not hung. */
export const isTmuxHung = async (home: Home): Promise<boolean> =>
  (await ask(home, ['has-session'])).answer === 'late'

interface Asked {
  /** `yes`: exit status 0. `late`: no answer in time. `missing`: tmux cannot be run. */
  answer: 'yes' | 'no' | 'late' | 'missing'
  output: string
}

function ask({ tmuxSocket }: Home, command: readonly string[]): Promise<Asked> {
  return new Promise((resolve) => {
    const options = { timeout: answerWithin, killSignal: 'SIGKILL' } as const
    execFile('tmux', ['-u', '-S', tmuxSocket, ...command], options, (error, output) => {
      if (error === null) resolve({ answer: 'yes', output })
      else if (error.killed === true) resolve({ answer: 'late', output })
      else resolve({ answer: typeof error.code === 'number' ? 'no' : 'missing', output })
    })
  })
}
