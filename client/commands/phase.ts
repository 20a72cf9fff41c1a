/** `outpool pause NAME`, `outpool resume NAME`, `outpool stop NAME` and `outpool stop --all` */
import { setTimeout as sleep } from 'node:timers/promises'
import { listSessions } from '../../config/engine/sessions.js'
import type { ListedSession } from '../../config/fleet/session.js'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import { sessionSignals } from '../../workflows/messages.js'
import { type CommandContext, print } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { canAsk, isConfirmed } from '../output/confirm.js'
import { finalState } from '../engine/finalState.js'
import { findRunning, findSession, signalSession } from '../engine/session.js'
import { waitsForHost, withReason } from '../engine/silence.js'
import { startSession } from '../engine/startSession.js'

/** A stop waits for the agent to end, but the command does not wait for it longer than this. */
const visibleWithinMs = 20_000
const pollMs = 150

export async function pause(context: CommandContext): Promise<void> {
  await signalAndWait(context, 'pause', 'paused', ({ card }) => card.phase === 'paused')
}

export async function stop(context: CommandContext): Promise<void> {
  if (context.flag('all')) await stopAll(context)
  else await signalAndWait(context, 'stop', 'stopped', ({ running }) => !running)
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

export async function resume(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const revived = await withEngine(openHome(), async (engine) => {
    const session = await findSession(engine, name)
    if (session.running) return false
    await restartStopped(engine, session, context)
    return true
  })
  if (revived) print(`${name} is starting again, with its whole conversation`)
  else
    await signalAndWait(
      context,
      'resume',
      'resumed',
      ({ card, running }) => running && card.phase !== 'paused',
    )
}

/** Signals and waits until the session shows it. If that takes long, says so; the signal itself is durable. */
async function signalAndWait(
  context: CommandContext,
  signal: 'pause' | 'resume' | 'stop',
  done: string,
  shows: (session: ListedSession) => boolean,
): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const home = openHome()
  const result = await withEngine(home, async (engine) => {
    await findRunning(engine, name)
    await signalSession(engine, name, sessionSignals[signal])
    const end = Date.now() + visibleWithinMs
    return await engine.within(visibleWithinMs + 5_000, async () => {
      for (;;) {
        const session = await findSession(engine, name)
        if (shows(session)) return `${name} is ${done}`
        const waits = await waitsForHost(engine, home, session)
        if (waits !== null) return withReason(`${signal} was accepted for ${name}`, waits)
        if (Date.now() > end)
          return `${signal} was accepted for ${name}, but is not done yet; see: outpool show ${name}`
        await sleep(pollMs)
      }
    })
  })
  print(result)
}

/**
 * Starts the same conversation in a new run. The card of the closed run has its settings, the result of that run the texts that were
 * not delivered; a run that was terminated has no result.
 */
async function restartStopped(
  engine: Engine,
  { card }: ListedSession,
  context: CommandContext,
): Promise<void> {
  const config = loadConfig({ path: context.config })
  const undelivered = (await finalState(engine, card.name))?.undelivered ?? { prompt: null, texts: [] }
  const { name, sessionId, host, agent, cwd, models, fallback, pinnedTo, priority, fork, untoldForks } = card
  await startSession(engine, {
    ...{ name, sessionId, host, agent, cwd, models, fallback, priority, model: models[0] ?? null },
    ...{
      forks: fork === null ? untoldForks : [...untoldForks, fork],
      pool: config.pool.name,
      timing: config.timing,
    },
    ...{ account: pinnedTo ?? card.account, pinned: pinnedTo !== null, continues: true },
    ...undelivered,
  })
}
