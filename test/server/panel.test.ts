/** A panel of the agent program is closed by as many keys as it takes, and by none that opens another one. */
import { afterEach, expect, it } from 'vitest'
import { execa } from 'execa'
import { closePanel } from '../../activities/session/panel.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import type { Home } from '../../config/state/home.js'
import { Tmux } from '../../host/tmux/tmux.js'
import { until } from '../../lab/until.js'
import { eachWithHome } from '../host/eachWithHome.js'

let home: Home
eachWithHome((made) => (home = made))
afterEach(async () => {
  await execa('tmux', ['-S', home.tmuxSocket, 'kill-server'], { reject: false })
})

/**
 * Draws like the agent program: a panel that fills itself in until `filledAfter`, and takes `keys` presses of Escape. Each is
 * handled `keyDelay` after it was pressed (both in ms). At the input line, Escape opens another panel, which Escape closes.
 */
const program = `
const [filledAfter, keyDelay, keys] = process.argv.slice(1).map(Number)
let open = keys, rewind = false, late = 0, filled = 0
const draw = () => {
  const line = '─'.repeat(40), top = '▔'.repeat(40)
  const panel = (title) => top + '\\n  ' + title + '\\n\\n  Esc to cancel\\n'
  const body = open > 0 ? panel('Settings ' + open + ' ' + '.'.repeat(filled)) : rewind ? panel('Rewind') : line + '\\n❯ \\n' + line + '\\n'
  process.stdout.write('\\x1b[2J\\x1b[H' + body + '  late ' + late + '\\n')
}
process.stdin.setRawMode(true)
process.stdin.on('data', () => {
  late++
  setTimeout(() => {
    late--
    if (open > 0) open--
    else rewind = !rewind
    draw()
  }, keyDelay)
})
const filling = setInterval(() => { filled++; if (filled * 50 > filledAfter) clearInterval(filling); draw() }, 50)
draw()
`

it.each([
  { what: 'a panel that closes at once', filledAfter: 0, keyDelay: 0, keys: 1 },
  { what: 'a panel with a search', filledAfter: 0, keyDelay: 0, keys: 2 },
  { what: 'a panel that fills itself in, on a busy machine', filledAfter: 600, keyDelay: 900, keys: 1 },
  { what: 'a panel on a machine so busy that a key is late', filledAfter: 300, keyDelay: 1_500, keys: 1 },
])('law 6: $what is closed, and no other is opened', async ({ filledAfter, keyDelay, keys }) => {
  const tmux = new Tmux(home.tmuxSocket, home.dir)
  const figures = [filledAfter, keyDelay, keys].map(String)
  await tmux.spawn({
    session: 'alpha',
    fence: 1,
    cwd: home.dir,
    argv: [process.execPath, '-e', program, '--', ...figures],
    status: '',
    hold: ['/bin/sh', '-c', 'true'],
  })
  const screen = async (): Promise<string> => tmux.colouredScreen((await tmux.pane('alpha'))?.id ?? '')
  await until('the panel', screen, (now) => claudeCode.showsPanel(now))
  expect(await closePanel(tmux, claudeCode, 'alpha')).toBe(true)
  const settled = await until('the effect of the last key', screen, (now) => now.includes('late 0'))
  expect(claudeCode.takesInput(settled)).toBe(true)
})
