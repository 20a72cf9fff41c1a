/** Sends a text to the agent of a session. */
import type { Home } from '../../config/state/home.js'
import { type SendArgs, sessionSignals } from '../../workflows/messages.js'
import type { Engine } from '../engine/engine.js'
import { findSession, signalSession } from '../engine/session.js'
import { waitsForHost, withReason } from '../engine/silence.js'

/** Returns what becomes of it, once it is durably accepted. Throws FailedError for a stopped session. */
export async function sendText(engine: Engine, home: Home, name: string, message: SendArgs): Promise<string> {
  await signalSession(engine, name, sessionSignals.send, message)
  return withReason(`accepted for ${name}`, await waitsForHost(engine, home, await findSession(engine, name)))
}
