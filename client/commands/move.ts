/** `outpool move NAME --to ACCOUNT` and `outpool rescue NAME` */
import { loadConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { type CommandContext, print } from '../commandContext.js'
import { withEngine } from '../engine/engine.js'
import { UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { moveSession, rescueSession } from '../orders/moves.js'

export async function move(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const to = context.option('to')
  if (to === null)
    throw new UsageError('move needs an account', 'name one with --to, or let `outpool rescue` choose')
  const config = loadConfig({ path: context.config })
  const home = openHome()
  print(await withEngine(home, (engine) => moveSession(engine, home, config, name, to)))
}

export async function rescue(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const config = loadConfig({ path: context.config })
  const home = openHome()
  print(await withEngine(home, (engine) => rescueSession(engine, home, config, name)))
}
