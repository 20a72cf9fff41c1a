/** A session in a window of a person's own tmux, so that the shell in which they asked for it stays free. */
import { fileURLToPath } from 'node:url'
import type { Home } from '../../config/state/home.js'
import { FailedError } from '../errors.js'
import { askTmux } from './nested.js'

const program = fileURLToPath(new URL('../bin.js', import.meta.url))

/** Of a window of the person's, with the session that it shows. */
const mark = '@outpool_session'

/** Goes to the window that shows the session, or opens one. `socket`, `pane`: of the tmux around this terminal. Throws FailedError. */
export function openWindow(
  home: Home,
  name: string,
  { socket, pane }: { socket: string; pane: string },
): void {
  const shown = `${home.dir} ${name}`
  const listed = askTmux(socket, ['list-windows', '-t', pane, '-F', `#{session_id} #{window_id} #{${mark}}`])
  if (listed === null) throw noAnswer(socket)
  const windows = listed.split('\n').map((line) => /^(\$\d+) (@\d+) (.*)$/.exec(line)?.slice(1) ?? [])
  const [, known] = windows.find(([, , marked]) => marked === shown) ?? []
  if (known !== undefined) {
    if (askTmux(socket, ['select-window', '-t', known]) === null) throw noAnswer(socket)
    return
  }
  // A new window gets the environment of the person's tmux server, which may be that of another time.
  const env = ['OUTPOOL_HOME', 'PATH'].flatMap((variable) => {
    const value = variable === 'OUTPOOL_HOME' ? home.dir : process.env[variable]
    // A semicolon at the end of a word would end the command.
    return value === undefined ? [] : ['-e', `${variable}=${value.replace(/;$/, '\\;')}`]
  })
  const [[session = ''] = []] = windows
  const command = [process.execPath, program, 'attach', name]
  const opened = askTmux(socket, [
    ...['new-window', '-t', `${session}:`, '-n', name, ...env, ...command, ';'],
    ...['set-option', '-w', mark, shown],
  ])
  if (opened === null) throw noAnswer(socket)
}

const noAnswer = (socket: string): FailedError =>
  new FailedError(
    `the tmux around this terminal (${socket}) did not open a window`,
    'open the session in this terminal instead: leave out --window',
  )
