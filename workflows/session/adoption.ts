/**
 * Takes over an agent that a person started. Until the launch that ends it, it runs where it was and nothing of it is touched; if no
 * place can take the session after that, it is started again where it was. So it runs once, in the old place or in the new one.
 */
import { condition } from '@temporalio/workflow'
import type {
  AdoptionObservation,
  AdoptionRequest,
  AdoptionWait,
} from '../../activities/adoption/contracts.js'
import type { Adoption, AdoptionLoss } from '../../policy/session/adoption.js'
import { adoptionLossText } from '../../policy/session/adoptionTexts.js'
import { type SessionContext, show } from './context.js'
import { mustRenew } from '../renewal.js'
import { startStep } from '../runningStep.js'
import type { Attempted } from '../stepFailures.js'
import type { SessionState } from './state.js'

/** Waits until the agent can be taken over, or until an order has to be carried out or the run has to continue as new. */
export async function awaitAdoption(ctx: SessionContext, adoption: Adoption): Promise<void> {
  const { state, adoptions, handlers } = ctx
  const request: AdoptionWait = { ...requestOf(state, adoption), blockedBy: state.adoptionBlockedBy ?? [] }
  const summary = adoption.process === null ? 'find the conversation' : "wait for the end of the agent's turn"
  show(ctx, { phase: 'starting', ...(state.attention === null ? { why: waitsFor(adoption) } : {}) })
  const waiting = startStep(() => adoptions.awaitAdoption.executeWithOptions({ summary }, [request]))
  await condition(() => waiting.outcome !== null || handlers.hasOrders() || mustRenew(ctx))
  await waiting.end()
  if (waiting.outcome !== null) applyOutcome(ctx, waiting.outcome)
}

function applyOutcome(
  ctx: SessionContext,
  { value: observed, failure }: Attempted<AdoptionObservation>,
): void {
  const { state } = ctx
  if (failure !== null) endUnadopted(ctx, failure.message)
  else if (observed.kind === 'ready') {
    state.isAdoptionReady = true
    delete state.adoptionBlockedBy
    state.sessionId = observed.sessionId
    if (state.plan !== null) state.plan.turn = observed.turn
    show(ctx, { attention: null })
  } else {
    state.adoptionBlockedBy = observed.losses
    show(ctx, { attention: lossAttention(observed.losses) })
  }
}

/** True if the person's agent runs again where it was: then the session is over. To be called when no place can take the session. */
export async function returnToPerson(ctx: SessionContext, why: string): Promise<boolean> {
  const { state, adoptions } = ctx
  if (state.adoption === undefined) return false
  const summary = 'no place can take it: start the agent again where it was'
  const { kind } = await adoptions.returnAgent.executeWithOptions({ summary }, [
    { ...requestOf(state, state.adoption), isOver: false },
  ])
  if (kind === 'returned') endUnadopted(ctx, `${why}; the agent runs on where it was`)
  return kind === 'returned'
}

/** A person has ended the session before it was launched: the agent stays with them. */
export async function leaveToPerson(ctx: SessionContext): Promise<void> {
  const { state, adoptions } = ctx
  if (state.adoption === undefined || state.plan === null) return
  const summary = 'leave the agent where it was'
  await adoptions.returnAgent.executeWithOptions({ summary }, [
    { ...requestOf(state, state.adoption), isOver: true },
  ])
}

/** The session runs: shows it where the person had the agent. */
export async function settleAdoption(ctx: SessionContext, adoption: Adoption): Promise<void> {
  const { state, adoptions } = ctx
  const summary = 'show the session where the person had the agent'
  await adoptions.settleAdoption.executeWithOptions({ summary }, [requestOf(state, adoption)])
  delete state.adoption
  delete state.isAdoptionReady
}

const lossAttention = (losses: readonly AdoptionLoss[]): string | null =>
  losses.length === 0
    ? null
    : `its adoption waits, because this would be lost: ${adoptionLossText(losses)}; to lose it, stop this session and adopt the agent with --yes`

const requestOf = ({ name, sessionId, agent, cwd }: SessionState, adoption: Adoption): AdoptionRequest => ({
  session: name,
  sessionId,
  agent,
  cwd,
  adoption,
})

const waitsFor = ({ process }: Adoption): string =>
  process === null
    ? 'it is being adopted'
    : `waits for the end of the turn of process ${process.pid}, to adopt it`

function endUnadopted(ctx: SessionContext, why: string): void {
  show(ctx, {
    ...{ phase: 'stopped', plan: null, parkedUntil: null, walledUntil: null, pane: null },
    attention: `not adopted: ${why}`,
  })
}
