/** `outpool top`: the fleet on one screen, refreshed until a person quits. */
import { colorsFor } from '../../config/colors.js'
import { loadConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { type CommandContext, print, printNotice } from '../commandContext.js'
import { showsAsciiOnly } from '../output/terminal.js'
import { type Fleet, readFleet } from '../top/fleet.js'
import type { TerminalStyle } from '../top/terminalStyle.js'
import { printed } from '../top/printed.js'

export async function top(context: CommandContext): Promise<void> {
  const readConfig = () => loadConfig({ path: context.config })
  const config = readConfig()
  const home = openHome()
  const read = (before: Fleet | null): Promise<Fleet> => readFleet(context.fleet, home, config, before)
  const colors = context.flag('color') ? context.colors : colorsFor(process.stdout, { NO_COLOR: 'yes' })
  const style: TerminalStyle = { colors, isAscii: showsAsciiOnly(process.stdout) }
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    print(printed(await read(null), context.width, style))
    return
  }
  // The library of the screen is loaded only here: no other command becomes slower.
  const { LiveScreen } = await import('../top/live.js')
  const orders = await new LiveScreen({ home, readConfig, readFleet: read, style }).run()
  for (const { text } of orders) printNotice(text)
  // A read that is still under way, such as one from an engine that does not answer, would keep the process alive.
  process.exit()
}
