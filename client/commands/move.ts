/** `outpool move NAME --to ACCOUNT` and `outpool rescue NAME` */
import type { SessionView } from '../../policy/session/session.js'
import type { Config } from '../../config/config.js'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import { type MoveArgs, sessionSignals } from '../../workflows/messages.js'
import { type CommandContext, print } from '../commandContext.js'
import { withEngine } from '../engine/engine.js'
import { FailedError, UsageError } from '../errors.js'
import { queryBlockers, queryPool } from '../engine/pool.js'
import { checkName } from '../names.js'
import { findRunning, signalSession } from '../engine/session.js'
import { waitsForHost, withReason } from '../engine/silence.js'
import { checkPoolAccount } from './start.js'

export async function move(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const to = context.option('to')
  if (to === null)
    throw new UsageError('move needs an account', 'name one with --to, or let `outpool rescue` choose')
  const config = loadConfig({ path: context.config })
  const home = openHome()
  const result = await withEngine(home, async (engine) => {
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
  })
  print(result)
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

/** Rescues a session whose account is walled; any other session only moves, if an account can take it. */
export async function rescue(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const config = loadConfig({ path: context.config })
  const home = openHome()
  const result = await withEngine(home, async (engine) => {
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
  })
  print(result)
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
