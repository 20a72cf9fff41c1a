/** What is different in a new configuration, in a few words for the log. */
import { isDeepStrictEqual } from 'node:util'
import type { Config, PoolAccountConfig } from '../../config/config.js'
import { formatList } from '../../policy/formatList.js'

/** `accounts: max-3 added; timing, tasks changed`; null if the two mean the same. */
export function describeChanges(before: Config, after: Config): string | null {
  const accounts = accountChanges(before.pool.accounts, after.pool.accounts)
  const sections = changedSections(before, after)
  const parts = [
    ...(accounts.length === 0 ? [] : [`accounts: ${accounts.join(', ')}`]),
    ...(sections.length === 0 ? [] : [`${formatList(sections)} changed`]),
  ]
  return parts.length === 0 ? null : parts.join('; ')
}

function accountChanges(before: readonly PoolAccountConfig[], after: readonly PoolAccountConfig[]): string[] {
  const kept = after.flatMap((account) => {
    const old = before.find(({ name }) => name === account.name)
    if (old === undefined) return [`${account.name} added`]
    if (account.drain !== old.drain) return [`${account.name} ${account.drain ? 'drained' : 'enabled'}`]
    return isDeepStrictEqual(account, old) ? [] : [`${account.name} changed`]
  })
  const removed = before.filter(({ name }) => after.every((account) => account.name !== name))
  return [...kept, ...removed.map(({ name }) => `${name} removed`)]
}

const sectionNames = [
  ...(['env', 'reserved', 'substrates', 'reservedSubstrates', 'agents', 'timing', 'drill'] as const),
  ...(['keep', 'events', 'notices', 'prices', 'tasks', 'services'] as const),
]

const changedSections = (before: Config, after: Config): string[] => [
  ...(before.pool.moveAt === after.pool.moveAt ? [] : ['pool.moveAt']),
  ...sectionNames.filter((section) => !isDeepStrictEqual(before[section], after[section])),
]
