/** What one account has and another lacks, so that a session that moves there would miss it. */
import type { Inventory } from '../../agents/adapter/examiner.js'
import { type Finding, warn } from './finding.js'

/** The most missing things that a finding names. */
const named = 5

/** One line for each account and kind of thing, in the order of the accounts. */
export function differences(accounts: readonly { name: string; inventory: Inventory }[]): Finding[] {
  return accounts.flatMap(({ name, inventory }) =>
    Object.entries(inventory).flatMap(([kind, { items, remedy }]) => {
      const elsewhere = accounts.filter((other) => other.name !== name)
      const lacks = [...new Set(elsewhere.flatMap((other) => other.inventory[kind]?.items ?? []))].filter(
        (item) => !items.includes(item),
      )
      if (lacks.length === 0) return []
      const owners = elsewhere.filter((other) =>
        other.inventory[kind]?.items.some((item) => lacks.includes(item)),
      )
      const list = lacks.slice(0, named).join(', ')
      const more = lacks.length > named ? ` and ${lacks.length - named} more` : ''
      const has = owners.map((one) => one.name).join(', ')
      return [
        warn(`differences ${name}`, `sessions moved here from ${has} miss ${kind}: ${list}${more}`, remedy),
      ]
    }),
  )
}
