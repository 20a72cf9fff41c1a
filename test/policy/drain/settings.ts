/** The pool of a drain, as its configuration would define it. */
import type { AccountSpec, Timing } from '../../../policy/account/account.js'
import type { PoolSettings } from '../../../policy/pool/lease.js'
import type { World } from './world.js'

export const moveAt = 0.95

/** The healer's account: it is never full and always logged in, and no session may ever get it. */
export const reserved = 'medic'

export function poolSettings(name: string, host: string, world: World, timing: Timing): PoolSettings {
  const accounts = world.accounts.map(({ name, ceiling, maxSessions }): AccountSpec => ({
    name,
    role: 'pool',
    ceiling,
    maxSessions,
  }))
  const substrates = world.substrates.map(({ name, maxSessions }): AccountSpec => ({
    name,
    role: 'substrate',
    ceiling: 1,
    maxSessions,
    runs: { agent: 'claude-code', model: 'cheap' },
  }))
  const healers: AccountSpec = { name: reserved, role: 'reserved', ceiling: 1, maxSessions: null }
  return { name, moveAt, host, timing, accounts: [...accounts, healers, ...substrates] }
}
