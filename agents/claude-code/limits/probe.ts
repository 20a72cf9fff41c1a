/** Asks the program for login and usage. No model is called, so no budget is spent and no window begun. */
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { AccountReading, Login, Window } from '../../../policy/account/account.js'
import type { AgentCommand, Place } from '../../agent.js'
import { AgentProgramError } from '../../errors.js'
import { type BaseEnv, probeEnv } from '../launch/env.js'
import { lockMark, removeLock } from '../setup/globalFile.js'
import { readLiveStates } from '../liveness.js'
import { type Identity, readIdentity } from '../setup/identity.js'
import { type ProgramResult, runProgram } from '../program.js'
import { usageTextWindows } from './quota.js'

const statusSchema = z.looseObject({ loggedIn: z.boolean(), authMethod: z.string().optional() })

/** Neither the user's hooks nor their MCP servers have to run because somebody looks at a budget. */
const quietArgs = [
  '--no-session-persistence',
  '--strict-mcp-config',
  '--settings',
  '{"disableAllHooks":true}',
]

/** What the program answers instead of numbers when nobody is logged in, or the login is no longer taken. */
const loggedOutText =
  /^(?:Not logged in|Failed to authenticate|Login expired|OAuth token revoked|Please run \/login|Invalid API key)/m

/**
 * Windows are empty where the program could not say (an API key, a throttled endpoint, no network). Never throws for
 * what the account is to blame for; throws AgentProgramError when the program itself can't be run.
 */
export async function probe(
  place: Place,
  command: AgentCommand,
  now: () => string,
  base: BaseEnv = process.env,
): Promise<Omit<AccountReading, 'account'>> {
  const before = await lockMark(place)
  try {
    return await queryAccount(place, command, now, base)
  } finally {
    await dropOrphanedLock(place, before)
  }
}

/** A lock that came with our own calls, and outlives them where no other process of the program runs, holds up a rescue. */
async function dropOrphanedLock(place: Place, before: string | null): Promise<void> {
  const mark = await lockMark(place)
  if (mark === null || mark === before || (await readLiveStates(place)).length > 0) return
  await removeLock(place, mark)
}

async function queryAccount(
  place: Place,
  command: AgentCommand,
  now: () => string,
  base: BaseEnv,
): Promise<Omit<AccountReading, 'account'>> {
  const env = probeEnv(base, place, command)
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
      // The program runs, as it has just said who is logged in; a usage endpoint that hangs says nothing of the account.
      if (error instanceof AgentProgramError) return null
      throw error
    },
  )
  const text = usage === null ? '' : `${usage.stdout}\n${usage.stderr}`
  // A login that was refused while being refreshed is gone from now on.
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

/** `stored`: a login whose usage can be asked; `other`: a key or token, of which the program knows no usage. */
function readStatus(answer: ProgramResult): 'stored' | 'other' | 'out' | 'unknown' {
  const status = parseJsonAs(answer.stdout, statusSchema)
  if (status === null)
    return answer.exitCode === 1 && /not logged in/i.test(answer.stdout) ? 'out' : 'unknown'
  if (!status.loggedIn) return 'out'
  return status.authMethod === undefined || status.authMethod === 'claude.ai' ? 'stored' : 'other'
}

/** A broken `.claude.json` is `doctor`'s to complain about; the probe then does not know who it is. */
const identityOf = (place: Place): Promise<Identity> => readIdentity(place).catch(() => noIdentity)

/**
 * The program prints cached numbers again for a minute, and for about an hour where the endpoint does not answer: what it
 * prints is as old as the cache that says the same. It counts as new only where the cache says otherwise, or there is none.
 */
function newestWindows(cached: Window[], printed: Window[]): Window[] {
  const isSaidBy = (one: Window, other: Window): boolean =>
    one.name === other.name && Math.round(one.used * 100) === Math.round(other.used * 100)
  const fresh = printed.filter((window) => !cached.some((known) => isSaidBy(known, window)))
  return [...cached.filter(({ name }) => !fresh.some((window) => window.name === name)), ...fresh]
}
