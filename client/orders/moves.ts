/** Orders a session to another account. Each returns what becomes of it, in a sentence, once the order is durably accepted. */
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import type { SessionView } from '../../policy/session/session.js'
import { type MoveArgs, sessionSignals } from '../../workflows/messages.js'
import { checkPoolAccount } from '../commands/start.js'
import type { Engine } from '../engine/engine.js'
import { queryBlockers, queryPool } from '../engine/pool.js'
import { findRunning, signalSession } from '../engine/session.js'
import { waitsForHost, withReason } from '../engine/silence.js'
import { FailedError } from '../errors.js'

/** Throws FailedError if the account cannot take the session, UsageError if sessions cannot be placed on it. */
export async function moveSession(
  engine: Engine,
  home: Home,
  config: Config,
  name: string,
  to: string,
): Promise<string> {
  const pool = await queryPool(engine, config.pool.name)
  // A pool may span hosts whose files name other accounts, so an account that only the pool knows is accepted too.
  if (pool?.accounts.some((account) => account.name === to && account.role === 'pool') !== true)
    checkTarget(to, config)
  const session = await findRunning(engine, name)
  const { card } = session
  if (card.account === to) return `${name} is already on ${to}`
  const question = { session: name, model: card.model, account: to }
  const [blocker] = (await queryBlockers(engine, config.pool.name, question)) ?? []
  if (typeof blocker?.why === 'string')
    throw new FailedError(`${to} cannot take ${name}: ${blocker.why}`, accountsRemedy)
  const order: MoveArgs = { to, cause: 'move', byPerson: true }
  await signalSession(engine, name, sessionSignals.move, order)
  const waits = await waitsForHost(engine, home, session)
  return waits === null
    ? `${name} moves to ${to}; follow it with: outpool show ${name}`
    : withReason(`accepted: ${name} moves to ${to}`, waits)
}

const accountsRemedy = 'see what each account can take: outpool accounts'

/** An unknown name fails as a target that cannot take the session (exit 1); an account of another role is wrong usage (exit 2). */
function checkTarget(to: string, config: Config): void {
  const others = [...config.reserved, ...config.substrates, ...config.pool.accounts]
  if (others.some(({ name }) => name === to)) {
    checkPoolAccount(to, config)
    return
  }
  const known = config.pool.accounts.map(({ name }) => name).join(', ')
  throw new FailedError(`there is no account ${to}`, `accounts of the pool: ${known}`)
}

/**
 * Rescues a session whose account is walled; any other session only moves, if an account can take it. Throws FailedError if none
 * can.
 */
export async function rescueSession(
  engine: Engine,
  home: Home,
  config: Config,
  name: string,
): Promise<string> {
  const session = await findRunning(engine, name)
  const { card } = session
  const question = { session: name, model: card.model, account: null }
  const blockers = await queryBlockers(engine, config.pool.name, question)
  const place = placeOf(card)
  const own = blockers?.find(({ account }) => account === card.account)
  const others = blockers?.filter(({ account }) => account !== card.account)
  const isWalled = own?.cause === 'walled'
  if (!isWalled && hasProcess(card.phase) && others?.every(({ why }) => why !== null) === true) {
    const reasons = others.map(({ account, why }) => `${account} ${why ?? ''}`).join(', ')
    throw new FailedError(
      `${name} stays on ${place}: ${reasons || 'the pool has no other account'}`,
      accountsRemedy,
    )
  }
  // Only the pool's answer proves a wall. If it does not answer, the session's own watch will still see one.
  const order: MoveArgs = {
    ...{ to: null, cause: isWalled ? 'wall' : 'move', byPerson: true },
    ...(isWalled && own.wall !== null ? { wall: own.wall } : {}),
  }
  await signalSession(engine, name, sessionSignals.move, order)
  const waits = await waitsForHost(engine, home, session)
  if (waits !== null) return withReason(`accepted: ${name} moves to the best account`, waits)
  return `${outcomeOf(name, place, isWalled, blockers !== null)}; follow it with: outpool show ${name}`
}

function outcomeOf(name: string, place: string, isWalled: boolean, poolAnswers: boolean): string {
  if (isWalled) return `${name} is being rescued`
  return poolAnswers
    ? `${name} leaves ${place}`
    : `${name} moves when its pool answers, which it does not now`
}

/** Where a session is that is not to be rescued from a wall, for a person. */
function placeOf({ account, substrate }: SessionView): string {
  if (account !== null) return `${account}, which is not walled`
  return substrate === null ? 'the waitlist' : `${substrate}, a fallback`
}

const hasProcess = (phase: string): boolean => ['working', 'idle', 'waiting'].includes(phase)
