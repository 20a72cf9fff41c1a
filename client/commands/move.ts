/** `outpool move NAME --to ACCOUNT` and `outpool rescue NAME` */
import { openHome } from '../../config/home.js'
import { loadConfig } from '../../config/loadConfig.js'
import { type MoveArgs, sessionSignals } from '../../workflows/messages.js'
import { type Call, print } from '../call.js'
import { withEngine } from '../engine.js'
import { UsageError } from '../errors.js'
import { askPool } from '../pool.js'
import { checkName } from '../names.js'
import { findRunning, signalSession } from '../session.js'
import { checkPoolAccount } from './start.js'

export async function move(call: Call): Promise<void> {
  const name = checkName(call.arg(0, 'NAME'))
  const to = call.text('to')
  if (to === null)
    throw new UsageError('move needs an account', 'name it with --to, or let `outpool rescue` choose')
  const config = loadConfig({ path: call.config })
  const already = await withEngine(openHome(), async (engine) => {
    const pool = await askPool(engine, config.pool.name)
    // A pool may span hosts whose files name other accounts; what it knows counts as much as our own file.
    if (pool?.accounts.some((account) => account.name === to && account.role === 'pool') !== true)
      checkPoolAccount(to, config)
    const { card } = await findRunning(engine, name)
    if (card.account === to) return true
    const order: MoveArgs = { to, cause: 'move' }
    await signalSession(engine, name, sessionSignals.move, order)
    return false
  })
  print(
    already ? `${name} is on ${to} already` : `${name} moves to ${to}; follow it with: outpool show ${name}`,
  )
}

export async function rescue(call: Call): Promise<void> {
  const name = checkName(call.arg(0, 'NAME'))
  await withEngine(openHome(), async (engine) => {
    await findRunning(engine, name)
    const order: MoveArgs = { to: null, cause: 'wall' }
    await signalSession(engine, name, sessionSignals.move, order)
  })
  print(`${name} is being rescued; follow it with: outpool show ${name}`)
}
