/**
 * What the host of one drain knows of its accounts and substrates, and what it reports about them to the
 * pool.
 */
import type { AccountReading } from '../../../policy/account/account.js'
import { withCooldown } from '../../../policy/account/cooldown.js'
import type { ReportedWindow } from '../../policy/drain/population.js'
import type { Oracle } from '../../policy/drain/oracle.js'
import { iso } from '../../policy/drain/spans.js'
import type { ReportedWall, World } from '../../policy/drain/world.js'
import type { EventLedger } from './eventLedger.js'

export class ReportedReadings {
  readonly #world: World
  readonly #oracle: Oracle
  readonly #ledger: EventLedger
  readonly #isAnswered: (account: string, now: number) => boolean
  readonly #readings = new Map<string, AccountReading>()
  /** Accounts that were last reported to the pool as logged out. */
  readonly #reportedLoggedOut = new Set<string>()

  /** `isAnswered`: whether a session on the account gets answers. */
  constructor(
    world: World,
    oracle: Oracle,
    ledger: EventLedger,
    isAnswered: (account: string, now: number) => boolean,
  ) {
    this.#world = world
    this.#oracle = oracle
    this.#ledger = ledger
    this.#isAnswered = isAnswered
  }

  probe(account: string, now: number): AccountReading {
    const { windows, login } = this.#world.probe(account, now)
    this.#lookAtStatusLines(account, now)
    this.#report(account, this.reading(account).windows.filter(isReportedByAgents), now)
    const answered = windows.some(({ readAt }) => Date.parse(readAt) >= now)
    this.#ledger.add('able', now, (at) => this.#oracle.probed(account, at, answered))
    this.#report(account, windows, now)
    this.#ledger.add(login === 'in' ? 'able' : 'barred', now, () => this.#oracle.login(account, login))
    if (login === 'out') this.#reportedLoggedOut.add(account)
    else this.#reportedLoggedOut.delete(account)
    if (login === 'in') this.read(account, windows, now)
    const { identity } = this.#world.account(account)
    const reading = { ...this.reading(account), windows, login, loginAt: iso(now), identity }
    this.#readings.set(account, { ...reading, windows: this.reading(account).windows })
    return { ...reading, probedAt: iso(now) }
  }

  loggedOut(account: string, now: number): void {
    this.#readings.set(account, { ...this.reading(account), login: 'out', loginAt: iso(now) })
    this.#ledger.add('barred', now, () => this.#oracle.login(account, 'out'))
    this.#reportedLoggedOut.add(account)
  }

  /** What this host knows of its accounts is part of each observation. */
  reportAll(now: number): AccountReading[] {
    for (const { name } of this.#world.accounts) this.#lookAtStatusLines(name, now)
    const known = [...this.#readings.values()]
    for (const { account, windows, login } of known) {
      // A substrate's budgets are never reported.
      if (this.#world.substrate(account) !== undefined) continue
      // An account that gets an answer is logged in.
      if (login === 'in' && this.#reportedLoggedOut.delete(account))
        this.#ledger.add('able', now, () => this.#oracle.login(account, 'in'))
      this.#report(account, windows.filter(isReportedByAgents), now)
    }
    return known
  }

  /** Every session that works shows its account's budgets with each answer. */
  #lookAtStatusLines(account: string, now: number): void {
    const isAnswered = this.#isAnswered(account, now)
    if (isAnswered) this.read(account, this.#world.readStatusLine(account, now), now)
  }

  #report(account: string, windows: ReportedWindow[], now: number): void {
    const { ceiling } = this.#world.account(account)
    const report = (kind: 'barred' | 'read', part: ReportedWindow[]): void => {
      if (part.length > 0)
        this.#ledger.add(kind, now, () => this.#oracle.windowsReported(account, part), { account })
    }
    // Separate, since what bars one model bars no session of another.
    report(
      'read',
      windows.filter(({ used }) => used < ceiling),
    )
    report(
      'barred',
      windows.filter(({ used }) => used >= ceiling),
    )
  }

  read(account: string, windows: ReportedWindow[], now: number): void {
    const known = this.reading(account)
    const others = known.windows.filter(({ name }) => !windows.some((window) => window.name === name))
    const login = { login: 'in', loginAt: iso(now) } as const
    this.#readings.set(account, { ...known, windows: [...others, ...windows], ...login })
  }

  reading(account: string): AccountReading {
    const none = { walls: [], login: 'unknown', loginAt: null, identity: null, probedAt: null } as const
    return this.#readings.get(account) ?? { account, windows: [], ...none, walls: [] }
  }

  /** The wall as the host reports it: a substrate's refusal that names no end is given one. */
  walled(session: string, place: string, reported: ReportedWall, now: number): ReportedWall {
    this.#ledger.add('barred', now, () => this.#oracle.walled(place, reported), { session })
    const known = this.reading(place)
    const substrate = this.#world.substrate(place)
    const wall =
      substrate === undefined
        ? reported
        : { ...reported, resetsAt: withCooldown(reported, known.walls, substrate.cooldown).resetsAt }
    const others = known.walls.filter(({ kind }) => kind !== wall.kind)
    this.#readings.set(place, { ...known, walls: [...others, wall] })
    return wall
  }
}

const isReportedByAgents = <W extends { source: string }>(
  window: W,
): window is W & { source: 'status-line' | 'usage-probe' } =>
  window.source === 'status-line' || window.source === 'usage-probe'
