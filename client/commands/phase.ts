/** `outpool pause NAME`, `outpool resume NAME`, `outpool stop NAME` and `outpool stop --all` */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../config/config.js'
import { listSessions } from '../../config/engine/sessions.js'
import { loadConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { sessionSignals } from '../../workflows/messages.js'
import { type CommandContext, print } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { findSession, signalSession } from '../engine/session.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { pauseSession, pollMs, resumeSession, stopSession, visibleWithinMs } from '../orders/phases.js'
import { canAsk, isConfirmed } from '../output/confirm.js'

export async function pause(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const home = openHome()
  print(await withEngine(home, (engine) => pauseSession(engine, home, name)))
}

export async function stop(context: CommandContext): Promise<void> {
  if (context.flag('all')) {
    await stopAll(context)
    return
  }
  const name = checkName(context.argument(0, 'NAME'))
  const home = openHome()
  print(await withEngine(home, (engine) => stopSession(engine, home, name)))
}

export async function resume(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const home = openHome()
  const readConfig = (): Config => loadConfig({ path: context.config })
  print(await withEngine(home, (engine) => resumeSession(engine, home, readConfig, name)))
}

/** Throws UsageError if a name is given too, or if there is no terminal on which to ask. */
async function stopAll(context: CommandContext): Promise<void> {
  if (context.args.length > 0)
    throw new UsageError('a name and --all are given', 'give only one of them; --all stops every session')
  const isAgreed = context.flag('yes')
  if (!isAgreed && !canAsk())
    throw new UsageError('stop --all asks before it stops anything, and needs a terminal', 'or add --yes')
  const home = openHome()
  const names = await withEngine(home, runningNames)
  if (names.length === 0) {
    print('no session is running')
    return
  }
  const count = names.length === 1 ? 'one session' : `${names.length} sessions`
  if (!isAgreed && !(await isConfirmed(`Stop ${count} (${names.join(', ')})? Conversations are kept.`)))
    throw new FailedError('nothing was stopped', null)
  const left = await withEngine(home, async (engine) => {
    for (const name of names) await signalSession(engine, name, sessionSignals.stop).catch(passIfStopped)
    return engine.within(visibleWithinMs + 5_000, () => untilStopped(engine, names))
  })
  for (const name of names)
    print(left.includes(name) ? `stop was accepted for ${name}, but is not done yet` : `${name} is stopped`)
}

const runningNames = async (engine: Engine): Promise<string[]> =>
  (await listSessions(engine, new Date())).filter(({ running }) => running).map(({ card }) => card.name)

/** It ended by itself since it was listed. */
function passIfStopped(error: unknown): void {
  if (!(error instanceof FailedError)) throw error
}

/** Returns those that have not stopped in time. */
async function untilStopped(engine: Engine, names: readonly string[]): Promise<string[]> {
  const end = Date.now() + visibleWithinMs
  let left = [...names]
  while (left.length > 0 && Date.now() < end) {
    const running = await Promise.all(left.map(async (name) => (await findSession(engine, name)).running))
    left = left.filter((_, index) => running[index])
    if (left.length > 0) await sleep(pollMs)
  }
  return left
}
