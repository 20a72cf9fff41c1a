/**
 * Workflows with the product's names and messages that a test scripts, without any host: these tests cover
 * what the command prints and sends, others cover what a session does.
 */
import {
  condition,
  defineQuery,
  defineSignal,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow'
import type { DrillReport, DrillStart } from '../../policy/independence/drill.js'
import type { PoolView } from '../../policy/pool/lease.js'
import { type SessionDetails, sessionMemo } from '../../policy/session/session.js'
import {
  type AccountEligibility,
  type MoveArgs,
  type SendArgs,
  type SessionResult,
  type SessionStart,
  poolQueries,
  poolUpdates,
  sessionQueries,
  sessionSignals,
} from '../../workflows/messages.js'

export interface ReceivedMessages {
  start: SessionStart
  texts: SendArgs[]
  moves: MoveArgs[]
}

export async function session(start: SessionStart): Promise<SessionResult> {
  const { name, agent, sessionId, cwd, host, model } = start
  let state: SessionDetails = {
    ...{ name, phase: 'idle', account: start.account, substrate: null, agent, sessionId, cwd, host, model },
    ...{ pane: '%1', rescues: 0, walledUntil: null, parkedUntil: null, attention: null, why: null },
    ...{ fork: null, untoldForks: [], models: [], fallback: null, since: null },
    ...{ pinnedTo: null, priority: start.priority },
    ...{ tmuxSocket: '/s', pid: 7, transcript: '/t', startedAt: '2026-01-02T03:04:05.000Z', rescueLog: [] },
  }
  const heard: ReceivedMessages = { start, texts: [], moves: [] }
  const become = (change: Partial<SessionDetails>): void => {
    state = { ...state, ...change }
    upsertMemo({ [sessionMemo]: { ...state, rescueLog: undefined } })
  }
  setHandler(defineSignal<[Partial<SessionDetails>]>('become'), become)
  setHandler(defineQuery<ReceivedMessages>('heard'), () => heard)
  setHandler(sessionSignals.send, (args) => void heard.texts.push(args))
  setHandler(sessionSignals.move, (args) => void heard.moves.push(args))
  setHandler(sessionSignals.pause, () => become({ phase: 'paused' }))
  setHandler(sessionSignals.resume, () => become({ phase: 'idle' }))
  setHandler(sessionSignals.stop, () => become({ phase: 'stopped' }))
  setHandler(sessionQueries.describe, () => state)
  setHandler(sessionQueries.deliveryState, (id) => ({
    taken: state.phase !== 'parked' && heard.texts.some((text) => text.id === id),
    problem: null,
  }))
  become({})
  await condition(() => state.phase === 'stopped')
  return { ...state, undelivered: { prompt: null, texts: heard.texts } }
}

/** Returns a report; it is a failure if the drill's agent has that name. */
export function drill({ agent }: DrillStart): Promise<DrillReport> {
  const { workflowId } = workflowInfo()
  const step = { name: 'falls back', startedAt: '2026-01-02T03:04:05.000Z', ms: 1_500 }
  const ok = agent !== 'fails'
  return Promise.resolve({
    ...{ id: workflowId, session: 'drill-1', startedAt: step.startedAt, endedAt: step.startedAt },
    ...{ ok, why: ok ? null : 'it parked', steps: [{ ...step, found: ok ? 'idle on haiku' : 'parked', ok }] },
  })
}

export async function pool(view: PoolView, eligibility: AccountEligibility[] = []): Promise<void> {
  setHandler(poolQueries.describe, () => view)
  setHandler(poolUpdates.checkEligibility, () => eligibility)
  await condition(() => false)
}
