/** Carries out an order at the engine, whose library is loaded with this file only. */
import { randomUUID } from 'node:crypto'
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { findSession } from '../engine/session.js'
import { FailedError } from '../errors.js'
import { moveSession, rescueSession } from '../orders/moves.js'
import { pauseSession, resumeSession } from '../orders/phases.js'
import { sendText } from '../orders/texts.js'
import type { Order } from './orders.js'

/** Returns what the command would print. Throws what it would throw, and FailedError if the name means another session now. */
export const carryOut = (order: Order, home: Home, readConfig: () => Config): Promise<string> =>
  withEngine(home, async (engine) => {
    const { name, sessionId } = order.subject
    const { card } = await findSession(engine, name)
    if (card.sessionId !== sessionId)
      throw new FailedError(`${name} is another session now: nothing was done`, null)
    return atEngine(engine, order, home, readConfig)
  })

function atEngine(engine: Engine, order: Order, home: Home, readConfig: () => Config): Promise<string> {
  const { name } = order.subject
  switch (order.kind) {
    case 'send':
      return sendText(engine, home, name, { id: randomUUID(), text: order.text })
    case 'move':
      return moveSession(engine, home, readConfig(), name, order.to)
    case 'rescue':
      return rescueSession(engine, home, readConfig(), name)
    case 'pause':
      return pauseSession(engine, home, name)
    case 'resume':
      return resumeSession(engine, home, readConfig, name)
  }
}
