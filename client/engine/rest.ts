/** Waits until a session of this host is at rest, and reads its answer from its transcript. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isUnanswered } from '../../config/engine/grpc.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { parseJsonAs } from '../../policy/parseJson.js'
import { sessionQueries } from '../../workflows/messages.js'
import { type CommandContext, printNotice } from '../commandContext.js'
import { readHostProgram } from '../commands/hostPrograms.js'
import { FailedError, UsageError } from '../errors.js'
import type { Engine } from './engine.js'
import { findSession, handleOf } from './session.js'
import { mergeLiveState, type SessionCard } from '../sessions/sessionRows.js'
import { heardHosts, markSilent } from '../sessions/silentSessions.js'
import { readHeardHosts } from './silence.js'

const pollMs = 500
const answerWithinMs = 5_000

const turnSchema = z.object({
  turn: z.enum(['open', 'ended', 'failed']).nullable(),
  answer: z.object({ text: z.string(), at: z.string() }).nullable(),
})
export type Turn = z.output<typeof turnSchema>

/** Throws UsageError for a session of another host, which alone can read its conversation. */
export function checkIsLocal(card: SessionCard, home: Home, remedy: string): void {
  if (card.host === home.hostId) return
  throw new UsageError(`${card.name} runs on the host ${card.host}, which alone can read its answers`, remedy)
}

/**
 * Returns once the agent is at rest with nothing left to be typed, and `isEnough` accepts how its conversation stands. Throws
 * FailedError if the session stops first, or when `until` (ms since the epoch) is over.
 */
export async function untilAtRest(
  context: CommandContext,
  engine: Engine,
  home: Home,
  name: string,
  { until, isEnough }: { until: number; isEnough: (turn: Turn) => boolean },
): Promise<Turn> {
  let said: string | null = null
  for (;;) {
    const card = await currentCard(engine, home, name)
    // A person may have to act before anything goes on.
    if (card.attention !== null && card.attention !== said) printNotice(`${name}: ${card.attention}`)
    said = card.attention
    const { phase, parkedUntil, silentSince } = card
    if (
      phase === 'idle' &&
      parkedUntil === null &&
      silentSince === undefined &&
      !(await hasTexts(engine, name))
    ) {
      const turn = await readTurn(context, card)
      if (turn.turn !== 'open' && isEnough(turn)) return turn
    }
    if (Date.now() > until)
      throw new FailedError(`${name} was not at rest in time`, `see \`outpool show ${name}\``)
    await sleep(pollMs)
  }
}

/** Throws FailedError for a stopped session. */
async function currentCard(engine: Engine, home: Home, name: string): Promise<SessionCard> {
  const { card, running } = await engine.within(answerWithinMs, () => findSession(engine, name))
  if (!running)
    throw new FailedError(`session ${name} is stopped`, `resume it with \`outpool resume ${name}\``)
  const now = new Date()
  const live = readLive(home)
  const heard = heardHosts(home, live, await readHeardHosts(engine, home, [card.host]))
  return markSilent(mergeLiveState(card, live, home, now), heard, home, now)
}

/** True also if no worker answers now. */
async function hasTexts(engine: Engine, name: string): Promise<boolean> {
  try {
    const { texts } = await engine.within(answerWithinMs, () =>
      handleOf(engine, name).query(sessionQueries.backlog),
    )
    return texts > 0
  } catch (error) {
    if (isUnanswered(error)) return true
    throw error
  }
}

async function readTurn(context: CommandContext, { agent, fork, sessionId }: SessionCard): Promise<Turn> {
  const given: Record<string, string> = { agent, conversation: fork ?? sessionId }
  const output = await readHostProgram('turn', {
    option: (name) => given[name] ?? context.option(name),
    flag: (name) => context.flag(name),
  })
  const turn = output === null ? null : parseJsonAs(output, turnSchema)
  if (turn === null)
    throw new FailedError('the conversation can not be read', 'check it with `outpool doctor`')
  return turn
}
