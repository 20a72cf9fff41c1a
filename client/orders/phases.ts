/** Pauses, resumes and stops a session. Each returns what became of it, in a sentence. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../config/config.js'
import type { ListedSession } from '../../config/fleet/session.js'
import type { Home } from '../../config/state/home.js'
import { sessionSignals } from '../../workflows/messages.js'
import type { Engine } from '../engine/engine.js'
import { finalState } from '../engine/finalState.js'
import { findRunning, findSession, signalSession } from '../engine/session.js'
import { waitsForHost, withReason } from '../engine/silence.js'
import { startSession } from '../engine/startSession.js'

/** A stop waits for the agent to end, but the command does not wait for it longer than this. */
export const visibleWithinMs = 20_000
export const pollMs = 150

/** Throws FailedError for a stopped session. */
export const pauseSession = (engine: Engine, home: Home, name: string): Promise<string> =>
  signalAndWait(engine, home, name, 'pause', 'paused', ({ card }) => card.phase === 'paused')

/** Throws FailedError for a stopped session. */
export const stopSession = (engine: Engine, home: Home, name: string): Promise<string> =>
  signalAndWait(engine, home, name, 'stop', 'stopped', ({ running }) => !running)

/** Continues a paused session, or starts a stopped one again; only then the configuration is read. */
export async function resumeSession(
  engine: Engine,
  home: Home,
  readConfig: () => Config,
  name: string,
): Promise<string> {
  const session = await findSession(engine, name)
  if (!session.running) {
    await restartStopped(engine, session, readConfig())
    return `${name} is starting again, with its whole conversation`
  }
  return signalAndWait(
    ...([engine, home, name, 'resume', 'resumed'] as const),
    ({ card, running }) => running && card.phase !== 'paused',
  )
}

/** Signals and waits until the session shows it. If that takes long, says so; the signal itself is durable. */
async function signalAndWait(
  engine: Engine,
  home: Home,
  name: string,
  signal: 'pause' | 'resume' | 'stop',
  done: string,
  shows: (session: ListedSession) => boolean,
): Promise<string> {
  await findRunning(engine, name)
  await signalSession(engine, name, sessionSignals[signal])
  const end = Date.now() + visibleWithinMs
  return engine.within(visibleWithinMs + 5_000, async () => {
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
}

/**
 * Starts the same conversation in a new run. The card of the closed run has its settings, the result of that run the texts that were
 * not delivered; a run that was terminated has no result.
 */
async function restartStopped(engine: Engine, { card }: ListedSession, config: Config): Promise<void> {
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
