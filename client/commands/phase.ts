/** `outpool pause NAME`, `outpool resume NAME`, `outpool stop NAME` */
import { setTimeout as sleep } from 'node:timers/promises'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import { sessionSignals } from '../../workflows/messages.js'
import { type Call, print } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { checkName } from '../names.js'
import { findRunning, findSession, lastWord, signalSession } from '../engine/session.js'
import type { ListedSession } from '../engine/sessionRows.js'
import { startSession } from '../engine/startSession.js'

/** A stop waits for the agent to end; longer than this a person need not watch. */
const shownWithinMs = 20_000
const pollMs = 150

export async function pause(call: Call): Promise<void> {
  await order(call, 'pause', 'paused', ({ card }) => card.phase === 'paused')
}

export async function stop(call: Call): Promise<void> {
  await order(call, 'stop', 'stopped', ({ running }) => !running)
}

export async function resume(call: Call): Promise<void> {
  const name = checkName(call.arg(0, 'NAME'))
  const revived = await withEngine(openHome(), async (engine) => {
    const session = await findSession(engine, name)
    if (session.running) return false
    await startAgain(engine, session, call)
    return true
  })
  if (revived) print(`${name} is starting again, with its whole conversation`)
  else await order(call, 'resume', 'resumed', ({ card, running }) => running && card.phase !== 'paused')
}

/** Signals and waits until the session shows it. Where that takes long, says so: the order itself is not lost. */
async function order(
  call: Call,
  signal: 'pause' | 'resume' | 'stop',
  done: string,
  shows: (session: ListedSession) => boolean,
): Promise<void> {
  const name = checkName(call.arg(0, 'NAME'))
  const shown = await withEngine(openHome(), async (engine) => {
    await findRunning(engine, name)
    await signalSession(engine, name, sessionSignals[signal])
    const end = Date.now() + shownWithinMs
    return await engine.within(shownWithinMs + 5_000, async () => {
      for (;;) {
        if (shows(await findSession(engine, name))) return true
        if (Date.now() > end) return false
        await sleep(pollMs)
      }
    })
  })
  print(
    shown
      ? `${name} is ${done}`
      : `${signal} is accepted for ${name}; it is not done yet: outpool show ${name}`,
  )
}

/**
 * The same conversation in a new run: what it was is in the card of the closed one, what it did not get to say in its last
 * word. A run that did not end by itself has none.
 */
async function startAgain(engine: Engine, { card }: ListedSession, call: Call): Promise<void> {
  const config = loadConfig({ path: call.config })
  const unsaid = (await lastWord(engine, card.name))?.unsaid ?? { prompt: null, texts: [] }
  const { name, sessionId, host, agent, cwd, models, fallback, pinnedTo, priority, fork, untoldForks } = card
  await startSession(engine, {
    ...{ name, sessionId, host, agent, cwd, models, fallback, priority, model: models[0] ?? null },
    ...{
      forks: fork === null ? untoldForks : [...untoldForks, fork],
      pool: config.pool.name,
      timing: config.timing,
    },
    ...{ account: pinnedTo ?? card.account, pinned: pinnedTo !== null, continues: true },
    ...unsaid,
  })
}
