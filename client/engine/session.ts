/** One session: finds it, describes it, sends it messages. */
import { WorkflowFailedError, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client'
import type { SignalDefinition } from '@temporalio/common'
import { nearest } from '../../config/validate/nearest.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { sessionQueries } from '../../workflows/messages.js'
import { type Engine, isUnanswered } from './engine.js'
import { FailedError } from '../errors.js'
import { checkName } from '../names.js'
import {
  type FinalState,
  type ListedSession,
  type SessionDescription,
  detailsSchema,
  finalStateSchema,
  listSessions,
  toListedSession,
} from './sessionRows.js'

/** A handle on the run that is the newest when it is used. */
export const handleOf = (engine: Engine, name: string): WorkflowHandle =>
  engine.client.workflow.getHandle(sessionWorkflowId(name))

/** The session as the engine stores it. Throws FailedError if there is none of this name. */
export async function findSession(engine: Engine, name: string): Promise<ListedSession> {
  checkName(name)
  try {
    return toListedSession(await handleOf(engine, name).describe())
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error
    throw await unknownSessionError(engine, name)
  }
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

/** The workflow's own description, or null if no worker answers within `ms`. */
export async function querySession(
  engine: Engine,
  name: string,
  ms: number,
): Promise<SessionDescription | null> {
  try {
    const answer: unknown = await engine.within(ms, () =>
      handleOf(engine, name).query(sessionQueries.describe),
    )
    return detailsSchema.parse(answer)
  } catch (error) {
    if (isUnanswered(error)) return null
    throw error
  }
}

/** The result of a stopped session's run, or null if the run was terminated. */
export async function finalState(engine: Engine, name: string): Promise<FinalState | null> {
  try {
    const result: unknown = await handleOf(engine, name).result()
    return finalStateSchema.safeParse(result).data ?? null
  } catch (error) {
    if (error instanceof WorkflowFailedError) return null
    throw error
  }
}

const stoppedError = (name: string): FailedError =>
  new FailedError(`session ${name} is stopped`, `bring it back with \`outpool resume ${name}\``)

async function unknownSessionError(engine: Engine, name: string): Promise<FailedError> {
  const known = (await listSessions(engine, 'ever')).map(({ card }) => card.name)
  const meant = nearest(name, known)
  return new FailedError(
    `there is no session ${name}`,
    meant === null ? 'see them all with `outpool ls --all`' : `did you mean ${meant}?`,
  )
}
