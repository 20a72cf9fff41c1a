/** What others get to see of a session's state. */
import type { SessionDetails } from '../../policy/session/session.js'
import type { SessionResult } from '../messages.js'
import { withoutContinuations } from './inbox.js'
import type { SessionState } from './state.js'

/** What a person should do: trouble of the session comes before trouble with a text. */
export const attentionOf = ({ attention, inbox, refused = [] }: SessionState): string | null => {
  const waiting = inbox.find(({ problem, blockedBy }) => problem !== undefined || blockedBy !== undefined)
  const refusal = refused.findLast((one) => one.attention !== undefined)
  return attention ?? waiting?.problem ?? waiting?.blockedBy ?? refusal?.attention ?? null
}

/** The answer to the query `describe`. */
export function details(state: SessionState): SessionDetails {
  const { name, phase, place, since, fork, agent, sessionId, cwd, host, pane, rescues } = state
  const { walledUntil, parkedUntil, why, tmuxSocket, pid, transcript, startedAt, rescueLog } = state
  return {
    name,
    phase,
    account: place?.kind === 'account' ? place.name : null,
    substrate: place?.kind === 'substrate' ? place.name : null,
    agent,
    sessionId,
    cwd,
    host,
    pane,
    model: state.runsModel,
    rescues,
    walledUntil,
    parkedUntil,
    attention: attentionOf(state),
    why,
    tmuxSocket,
    pid,
    transcript,
    fork: fork?.id ?? null,
    untoldForks: state.forks,
    since,
    nextWakeUp:
      (state.plannedWakeUps ?? [])
        .map(({ at }) => at)
        .sort()
        .at(0) ?? null,
    models: state.models,
    fallback: state.fallback,
    pinnedTo: state.pinned ? state.account : null,
    priority: state.priority,
    startedAt,
    rescueLog,
  }
}

/** The result of the workflow. */
export function sessionResult(state: SessionState): SessionResult {
  const { once, workDone, released, firstPrompt, inbox } = state
  return {
    ...details(state),
    ...(once === true ? { workDone: workDone === true } : {}),
    ...(released === undefined ? {} : { released }),
    undelivered: {
      prompt: firstPrompt,
      texts: withoutContinuations(inbox).map(({ id, text, command }) => ({
        id,
        text,
        ...(command === true ? { command } : {}),
      })),
    },
  }
}
