/** Asks the program for login and usage. No model is called, so no budget is spent and no window begins. */
import { z } from 'zod'
import type { Environment } from '../../../policy/environment.js'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { AccountReading, Login, Window } from '../../../policy/account/account.js'
import type { AgentCommand, Place } from '../../adapter/place.js'
import { AgentProgramError } from '../../errors.js'
import { baseOf, probeEnv } from '../launch/env.js'
import { lockMark, removeLock } from '../setup/globalFile.js'
import { readLiveStates } from '../liveness.js'
import { type Identity, readIdentity } from '../setup/identity.js'
import { type ProgramResult, runProgram } from '../program.js'
import { usageTextWindows } from './quota.js'

const statusSchema = z.looseObject({ loggedIn: z.boolean(), authMethod: z.string().optional() })

/** A probe must not run the user's hooks or MCP servers. */
const quietArgs = [
  '--no-session-persistence',
  '--strict-mcp-config',
  '--settings',
  '{"disableAllHooks":true}',
]

/** What the program prints instead of numbers if there is no login, or if it is no longer accepted. */
const loggedOutText =
  /^(?:Not logged in|Failed to authenticate|Login expired|OAuth token revoked|Please run \/login|Invalid API key)/m

/**
 * Windows are empty if the program could not tell (an API key, a throttled endpoint, no network). Never throws because of the
 * account; throws AgentProgramError if the program itself can't be run.
 */
export async function probe(
  place: Place,
  command: AgentCommand,
  now: () => string,
  base: Environment = baseOf(command),
): Promise<Omit<AccountReading, 'account'>> {
  const before = await lockMark(place)
  try {
    return await queryAccount(place, command, now, base)
  } finally {
    await dropOrphanedLock(place, before)
  }
}

/** Removes a lock that the probe left behind while no other process of the program runs: it would delay a rescue. */
async function dropOrphanedLock(place: Place, before: string | null): Promise<void> {
  const mark = await lockMark(place)
  if (mark === null || mark === before || (await readLiveStates(place)).length > 0) return
  await removeLock(place, mark)
}

async function queryAccount(
  place: Place,
  command: AgentCommand,
  now: () => string,
  base: Environment,
): Promise<Omit<AccountReading, 'account'>> {
  const env = probeEnv(place, command, base)
  const status = readStatus(await runProgram(command, ['auth', 'status'], env, place.configDir))
  const loginAt = now()
  if (status !== 'stored') {
    const { identity, windows } = status === 'out' ? await identityOf(place) : noIdentity
    const login = status === 'other' ? 'in' : status
    return { windows, walls: [], login, loginAt: seenAt(login, loginAt), identity, probedAt: now() }
  }
  const asked = now()
  const usage = await runProgram(command, ['-p', '/usage', ...quietArgs], env, place.configDir).catch(
    (error: unknown) => {
      // The program works, as the login status was read before. A usage endpoint that hangs says nothing about the account.
      if (error instanceof AgentProgramError) return null
      throw error
    },
  )
  const text = usage === null ? '' : `${usage.stdout}\n${usage.stderr}`
  // The login is lost if the provider refused to refresh it during the probe.
  const after = readStatus(await runProgram(command, ['auth', 'status'], env, place.configDir))
  const login: Login = after === 'out' || loggedOutText.test(text) ? 'out' : 'in'
  const { identity, windows } = await identityOf(place)
  return {
    windows: newestWindows(windows, login === 'in' ? usageTextWindows(text, asked) : []),
    walls: [],
    login,
    loginAt: now(),
    identity,
    probedAt: now(),
  }
}

const noIdentity: Identity = { identity: null, email: null, windows: [] }

const seenAt = (login: Login, at: string): string | null => (login === 'unknown' ? null : at)

/** `stored`: a login with usage; `other`: a key or token, whose usage the program does not know. */
function readStatus(answer: ProgramResult): 'stored' | 'other' | 'out' | 'unknown' {
  const status = parseJsonAs(answer.stdout, statusSchema)
  if (status === null)
    return answer.exitCode === 1 && /not logged in/i.test(answer.stdout) ? 'out' : 'unknown'
  if (!status.loggedIn) return 'out'
  return status.authMethod === undefined || status.authMethod === 'claude.ai' ? 'stored' : 'other'
}

/** Without an identity if `.claude.json` is broken, which `doctor` reports. */
const identityOf = (place: Place): Promise<Identity> => readIdentity(place).catch(() => noIdentity)

/**
 * The program prints cached numbers for a minute, and for about an hour if the endpoint does not answer. So printed numbers count as
 * new only if the cache differs or is missing; otherwise they are as old as the cache.
 */
function newestWindows(cached: Window[], printed: Window[]): Window[] {
  const isSaidBy = (one: Window, other: Window): boolean =>
    one.name === other.name && Math.round(one.used * 100) === Math.round(other.used * 100)
  const fresh = printed.filter((window) => !cached.some((known) => isSaidBy(known, window)))
  return [...cached.filter(({ name }) => !fresh.some((window) => window.name === name)), ...fresh]
}
