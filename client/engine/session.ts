/** One session: finds it, describes it, sends it messages. */
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client'
import type { SignalDefinition } from '@temporalio/common'
import { findListed, listSessions } from '../../config/engine/sessions.js'
import type { ListedSession } from '../../config/fleet/session.js'
import { nearest } from '../../config/validate/nearest.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import type { Engine } from './engine.js'
import { FailedError } from '../errors.js'
import { checkName } from '../names.js'

/** A handle on the run that is the newest when it is used. */
export const handleOf = (engine: Engine, name: string): WorkflowHandle =>
  engine.client.workflow.getHandle(sessionWorkflowId(name))

/** The session as the engine stores it. Throws FailedError if there is none of this name. */
export async function findSession(engine: Engine, name: string): Promise<ListedSession> {
  const found = await findListed(engine, checkName(name))
  if (found === null) throw await unknownSessionError(engine, name)
  return found
}

/** As findSession, for actions that need a running session. Throws FailedError if it is stopped. */
export async function findRunning(engine: Engine, name: string): Promise<ListedSession> {
  const session = await findSession(engine, name)
  if (!session.running) throw stoppedError(name)
  return session
}

/** Sends a signal. Throws FailedError if the session is stopped or never existed. */
export async function signalSession<Args extends unknown[]>(
  engine: Engine,
  name: string,
  signal: SignalDefinition<Args>,
  ...args: Args
): Promise<void> {
  try {
    await handleOf(engine, name).signal(signal, ...args)
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error
    await findSession(engine, name)
    throw stoppedError(name)
  }
}

const stoppedError = (name: string): FailedError =>
  new FailedError(`session ${name} is stopped`, `bring it back with \`outpool resume ${name}\``)

/** Names one that may have been meant. */
export async function unknownSessionError(engine: Engine, name: string): Promise<FailedError> {
  const known = (await listSessions(engine, 'ever')).map(({ card }) => card.name)
  const meant = nearest(name, known)
  return new FailedError(
    `there is no session ${name}`,
    meant === null ? 'see them all with `outpool ls --all`' : `did you mean ${meant}?`,
  )
}
