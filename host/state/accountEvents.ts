/**
 * Records what changes about this host's accounts: walled, near the limit, logged out, and back. The last recorded condition is read
 * from the events themselves, so that each change is recorded once, at whatever instant a worker is killed.
 */
import type { EventDraft, OutpoolEvent } from '../../config/events/schema.js'
import type { AccountReading, AccountRole } from '../../policy/account/account.js'
import {
  type AccountCondition,
  conditionKey,
  type ConditionRules,
  conditionsOf,
  nextConditionEnd,
  wallKey,
} from '../../policy/account/conditions.js'
import type { EventStore } from './eventStore.js'

/** The event that began a condition. */
type Beginning = Pick<OutpoolEvent, 'id' | 'at'>
/** Recorded conditions that have not ended, by their keys. */
type Open = Map<string, Beginning>

/** Node's timers are at most that long. Milliseconds. */
const maxTimer = 2 ** 31 - 1

export interface AccountEventsOptions {
  events: EventStore
  /** Null for an account that the configuration does not name. */
  rulesOf: (account: string) => ConditionRules | null
  reading: (account: string) => AccountReading
}

export class AccountEvents {
  readonly #options: AccountEventsOptions
  #open: Map<string, Open> | null = null
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor(options: AccountEventsOptions) {
    this.#options = options
  }

  /** To be called after each change of an account's reading, and for each account when the worker starts. */
  review(account: string, now = Date.now()): void {
    const { events, rulesOf, reading } = this.#options
    const rules = rulesOf(account)
    if (rules === null) return
    const open = this.#openOf(account)
    const current = new Map(
      conditionsOf(reading(account), rules, now).map((condition) => [conditionKey(condition), condition]),
    )
    const isWalled = current.has(wallKey('account'))
    for (const [key, begun] of [...open]) {
      // A wall hides whether the limit is near.
      if (current.has(key) || (key === 'near-limit' && isWalled)) continue
      events.record(endOf(account, key, begun, now))
      open.delete(key)
    }
    for (const [key, condition] of current) {
      if (open.has(key) || (key === 'near-limit' && isWalled)) continue
      const begun = beginningOf(account, condition, rules.role, now)
      events.record(begun)
      open.set(key, begun)
    }
    this.#reviewLater(account, nextConditionEnd(reading(account), rules.wakeMargin, now), now)
  }

  /** Ends the timers. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  #reviewLater(account: string, at: number | null, now: number): void {
    clearTimeout(this.#timers.get(account))
    if (at === null) return
    const timer = setTimeout(() => this.review(account), Math.min(at - now + 1, maxTimer))
    this.#timers.set(account, timer.unref())
  }

  #openOf(account: string): Open {
    this.#open ??= openConditions(this.#options.events.stored('"account-'))
    const open = this.#open.get(account) ?? new Map<string, Beginning>()
    this.#open.set(account, open)
    return open
  }
}

function openConditions(events: readonly OutpoolEvent[]): Map<string, Open> {
  const accounts = new Map<string, Open>()
  for (const event of events) {
    if (!('account' in event) || event.account === null) continue
    const open = accounts.get(event.account) ?? new Map<string, Beginning>()
    accounts.set(event.account, open)
    if (event.kind === 'account-walled') open.set(wallKey(event.scope), event)
    else if (event.kind === 'account-near-limit') open.set('near-limit', event)
    else if (event.kind === 'account-logged-out') open.set('login', event)
    else if (event.kind === 'account-logged-in') open.delete('login')
    else if (event.kind === 'account-back')
      open.delete(event.from === 'wall' ? wallKey(event.scope) : event.from)
  }
  return accounts
}

function beginningOf(
  account: string,
  condition: AccountCondition,
  role: AccountRole,
  now: number,
): EventDraft {
  const at = new Date(now).toISOString()
  const id = `account/${account}/${conditionKey(condition).replace(' ', '/')}/${at}`
  switch (condition.kind) {
    case 'login':
      return { id, at, kind: 'account-logged-out', account }
    case 'near-limit': {
      const { name: window, used, resetsAt } = condition.window
      return { id, at, kind: 'account-near-limit', account, window, used, resetsAt }
    }
    case 'wall': {
      const { kind: wall, scope, resetsAt } = condition.wall
      const evidence = !condition.wasHit ? 'reading' : role === 'substrate' ? 'refusal' : 'transcript'
      return { id, at, kind: 'account-walled', account, wall, scope, resetsAt, evidence }
    }
  }
}

function endOf(account: string, key: string, { id: begun, at: since }: Beginning, now: number): EventDraft {
  const common = { id: `${begun}/over`, at: new Date(now).toISOString(), account }
  if (key === 'login') return { ...common, kind: 'account-logged-in' }
  const afterMs = Math.max(0, now - Date.parse(since))
  if (key === 'near-limit')
    return { ...common, kind: 'account-back', from: 'near-limit', scope: 'account', afterMs }
  return { ...common, kind: 'account-back', from: 'wall', scope: key.slice(wallKey('').length), afterMs }
}
