/** `outpool forget NAME`: takes a session that has ended off the list. Its conversation stays where the agent program keeps it. */
import { listSessions } from '../../config/engine/sessions.js'
import type { ListedSession } from '../../config/fleet/session.js'
import { openHome } from '../../config/state/home.js'
import { forgetStoredSession } from '../../config/state/storedSessions.js'
import { type CommandContext, print, printJson, printNotice } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { forgetSession } from '../engine/forgetSession.js'
import { findSession } from '../engine/session.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { oneLine } from '../output/terminal.js'

export async function forget(context: CommandContext): Promise<void> {
  const [name] = context.args
  const wantsAll = context.flag('ended')
  if ((name === undefined) === !wantsAll)
    throw new UsageError(
      wantsAll ? 'a name and --ended are given' : 'NAME is missing',
      'give a name, or --ended for every session that has ended',
    )
  const home = openHome()
  const forgotten = await withEngine(home, async (engine) => {
    const ended = name === undefined ? await endedSessions(engine) : [await endedSession(engine, name)]
    for (const { card } of ended) {
      // The worker would take it for deleted by a stranger.
      if (card.host === home.hostId) forgetStoredSession(home, card.name, new Date())
      await forgetSession(engine, card.name)
    }
    return ended.map(({ card }) => card)
  })
  if (context.json)
    printJson(forgotten.map(({ name: session, sessionId, cwd }) => ({ session, sessionId, cwd })))
  else if (forgotten.length === 0) print('no session has ended')
  if (context.json || forgotten.length === 0) return
  printNotice('the engine takes what was forgotten off its lists within a minute')
  for (const { name: session, sessionId, cwd } of forgotten)
    print(
      `forgot ${session}; its conversation ${sessionId} (${oneLine(cwd)}) stays: outpool adopt ${sessionId}`,
    )
}

const endedSessions = async (engine: Engine): Promise<ListedSession[]> =>
  (await listSessions(engine, 'ever')).filter(({ running }) => !running)

/** Throws FailedError if there is none of this name, or if it has not ended. */
async function endedSession(engine: Engine, name: string): Promise<ListedSession> {
  const session = await findSession(engine, checkName(name))
  if (session.running)
    throw new FailedError(
      `session ${name} has not ended: it is ${session.card.phase}`,
      `end it first: outpool stop ${name}`,
    )
  return session
}
