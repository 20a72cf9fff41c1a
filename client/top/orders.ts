/** What a person can order from the screen, and how the screen asks before it does so. */
import { placeOf } from './arrange.js'
import type { FleetSession } from './fleet.js'

/** The session that was asked about. One of the same name that was started since is another one. */
export type Subject = Pick<FleetSession, 'name' | 'sessionId'>

export type Order = { subject: Subject } & (
  | { kind: 'send'; text: string }
  | { kind: 'move'; to: string }
  | { kind: 'rescue' }
  | { kind: 'pause' }
  | { kind: 'resume' }
)

export const subjectOf = ({ name, sessionId }: FleetSession): Subject => ({ name, sessionId })

/** Null if the session is gone, or cannot take the order any more. */
export function currentSubject(
  sessions: readonly FleetSession[],
  { subject, kind }: Order,
): FleetSession | null {
  const { name, sessionId } = subject
  const found = sessions.find((one) => one.name === name && one.sessionId === sessionId)
  if (found === undefined) return null
  return found.phase === 'stopped' && kind !== 'resume' ? null : found
}

/** Names the session and the consequence. */
export function questionOf(session: FleetSession, order: Order): string {
  const { name, phase } = session
  switch (order.kind) {
    case 'send':
      return `Send this text to ${name}?`
    case 'move':
      return `Move ${name} to ${order.to}? ${moved(session)}`
    case 'rescue':
      return `Rescue ${name}: take it from ${placeOf(session)} to the best account? ${moved(session)}`
    case 'pause':
      return phase === 'working'
        ? `Pause ${name}? Its turn is cut off and its process ends; the conversation is kept.`
        : `Pause ${name}? Its process ends; the conversation is kept.`
    case 'resume':
      return phase === 'stopped'
        ? `Start ${name} again? It goes on with its whole conversation.`
        : `Resume ${name}? It goes on with its whole conversation.`
  }
}

function moved({ phase }: FleetSession): string {
  if (phase === 'working') return 'Its turn is cut off, and goes on there.'
  return phase === 'paused' ? 'It is paused, and goes on there.' : 'It goes on there.'
}

/** What is shown until the order is carried out. */
export function progressOf({ kind, subject: { name } }: Order): string {
  const doing = {
    send: 'sending to',
    move: 'moving',
    rescue: 'rescuing',
    pause: 'pausing',
    resume: 'resuming',
  }
  return `${doing[kind]} ${name}…`
}
