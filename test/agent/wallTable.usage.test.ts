/**
 * What a probe reads from the usage that the real program shows: it silently repeats older numbers for a
 * minute, and for as much as an hour when the endpoint is throttled, broken or silent.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { probe } from '../../agents/claude-code/limits/probe.js'
import type { AccountReading } from '../../policy/account/account.js'
import type { UsageMode } from '../../lab/standin/account.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { ageUsageCache, type Login } from '../../lab/standin/logins.js'
import { startWorld, type World } from '../../lab/standin/world.js'
import { isNight } from '../byNight.js'

let dir: string
let world: World

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'wall-usage-'))
  world = await startWorld(dir)
})
afterEach(async () => {
  await world.close()
  rmSync(dir, { recursive: true, force: true })
})

const ask = (login: Login): Promise<Omit<AccountReading, 'account'>> => {
  const env = world.env(login, { nonEssentialTraffic: true })
  const place = { kind: 'account' as const, name: 'max-1', configDir: login.configDir, env }
  return probe(place, { command: agentProgram, args: [], env: {} }, () => new Date().toISOString(), {})
}

const fiveHour = ({
  windows,
}: Omit<AccountReading, 'account'>): { used: number; readAt: string } | undefined =>
  windows.find(({ name }) => name === 'five_hour')

const windowsOf = (used: number): { five_hour: { used: number; resetsAt: Date } } => ({
  five_hour: { used, resetsAt: new Date(Date.now() + 3 * 3_600_000) },
})

it('law 4: a probe reads what the account has used, and its identity, without a turn', async () => {
  const login = world.login('max-1')
  const account = world.standIn.account('max-1').windows(windowsOf(0.4))
  const startedAt = new Date().toISOString()
  const reading = await ask(login)
  expect(reading).toMatchObject({ login: 'in', identity: account.uuid })
  expect(fiveHour(reading)!.used).toBe(0.4)
  expect(fiveHour(reading)!.readAt >= startedAt).toBe(true)
  expect(world.standIn.requests({ kind: 'turn' })).toEqual([])
  expect(world.standIn.requests({ kind: 'quota' })).toEqual([])
})

interface Answer {
  when: string
  usage: UsageMode
  ageMs: number
}
/** By night. */
const rarely: Answer[] = [
  { when: 'broken', usage: { mode: 'error', status: 500 }, ageMs: 30 * 60_000 },
  { when: 'silent', usage: { mode: 'hang' }, ageMs: 30 * 60_000 },
]

it.each<Answer>([
  { when: 'asked again within a minute', usage: { mode: 'ok' }, ageMs: 0 },
  { when: 'throttled', usage: { mode: 'throttled', retryAfter: null }, ageMs: 30 * 60_000 },
  ...(isNight ? rarely : []),
])('law 4: repeated numbers are not dated as new: $when', async ({ usage, ageMs }) => {
  const login = world.login('max-1')
  const account = world.standIn.account('max-1').windows(windowsOf(0.4))
  await ask(login)
  const trueUntil = new Date(Date.now() - ageMs).toISOString()
  ageUsageCache(login.configDir, ageMs)
  account.windows(windowsOf(1)).usage = usage
  const repeated = fiveHour(await ask(login))
  // No numbers would do too; old numbers under a new date would send a session onto a full account.
  if (repeated) expect(repeated.readAt <= trueUntil).toBe(true)
})

it('law 4: numbers are read again once the program asks again', async () => {
  const login = world.login('max-1')
  world.standIn.account('max-1').windows(windowsOf(0.4))
  await ask(login)
  ageUsageCache(login.configDir)
  world.standIn.account('max-1').windows(windowsOf(0.9))
  expect(fiveHour(await ask(login))!.used).toBe(0.9)
})

it.each([
  ['a dir without a login', { kind: 'none' }],
  ['a login that is no longer accepted', { expiresAt: new Date(0) }],
] as const)('law 6: %s is logged out, not used up', async (_name, options) => {
  const login = world.login('max-1', options)
  world.standIn.account('max-1').revoked = true
  expect(await ask(login)).toMatchObject({ login: 'out', windows: [] })
})
