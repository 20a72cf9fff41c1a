/** Builders for the pool's inputs. Times are minutes after noon. */
import {
  type AccountReading,
  type AccountSpec,
  defaultTiming,
  emptyReading,
  type Login,
  type Wall,
  type Window,
} from '../../policy/account/account.js'
import type { LeaseRequest, PoolSettings } from '../../policy/pool/lease.js'
import {
  decide,
  newPoolState,
  recordReadings,
  requestLease,
  type Decision,
  type PoolState,
} from '../../policy/pool/transitions.js'

export const at = (minutes: number): string =>
  new Date(Date.UTC(2026, 10, 22, 12) + minutes * 60_000).toISOString()

export const window = (overrides: Partial<Window> = {}): Window => ({
  name: 'five_hour',
  used: 0.2,
  resetsAt: at(120),
  readAt: at(0),
  source: 'usage-probe',
  ...overrides,
})

export const wall = (overrides: Partial<Wall> = {}): Wall => ({
  kind: 'five_hour',
  scope: 'account',
  resetsAt: at(60),
  evidence: 'a test',
  at: at(0),
  ...overrides,
})

export const reading = (account: string, overrides: Partial<AccountReading> = {}): AccountReading => ({
  ...emptyReading(account),
  ...overrides,
})

/** An account with this share used, read just now. */
export const usedAccount = (account: string, used: number, minutes = 0): AccountReading =>
  reading(account, { windows: [window({ used, readAt: at(minutes) })] })

export const spec = (name: string, overrides: Partial<AccountSpec> = {}): AccountSpec => ({
  name,
  role: 'pool',
  ceiling: 1,
  maxSessions: null,
  ...overrides,
})

export const settings = (accounts: AccountSpec[]): PoolSettings => ({
  name: 'main',
  moveAt: 0.95,
  accounts,
  timing: defaultTiming,
  host: 'here',
})

export const poolState = (...accounts: AccountSpec[]): PoolState => newPoolState(settings(accounts))

/** The state with these readings, read at noon. */
export const withReadings = (before: PoolState, ...readings: AccountReading[]): PoolState =>
  recordReadings(before, readings, at(0))

export const recordWall = (before: PoolState, account: string, met: Wall, now: string): PoolState =>
  recordReadings(before, [reading(account, { walls: [met] })], now)

export const recordLogin = (
  before: PoolState,
  account: string,
  login: Login,
  loginAt: string,
  now: string,
): PoolState => recordReadings(before, [reading(account, { login, loginAt })], now)

export const leaseRequest = (session: string, overrides: Partial<LeaseRequest> = {}): LeaseRequest => ({
  requestId: `${session}-1`,
  session,
  host: 'here',
  agent: 'claude-code',
  models: ['sonnet'],
  fallback: null,
  unfit: [],
  prefer: null,
  pinned: false,
  exclude: [],
  cause: 'start',
  from: null,
  priority: 5,
  readings: [],
  at: at(0),
  ...overrides,
})

/** Requests a lease and decides, in one call. */
export const requestAndDecide = (before: PoolState, request: LeaseRequest, minutes = 0): Decision =>
  decide(requestLease(before, request, at(minutes)), at(minutes))

export const grantedTo = (decision: Decision): Record<string, string> =>
  Object.fromEntries(decision.grants.map(({ session, grant }) => [session, grant.place.name]))
