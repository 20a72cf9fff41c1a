/** What the worker of a host tells the pool of what may need a person. Instants are ISO 8601 in UTC. */

/** Why a session waits for a person, as its events say it. */
export const waitReasons = ['question', 'permission', 'context', 'settings', 'login', 'page'] as const

/** Names the kind of what a session needs, never the text of a question (law 11). */
export interface SessionNeed {
  session: string
  /** `breaker`: parked by it. `down`: its agent has ended, and does not run again yet. */
  need: (typeof waitReasons)[number] | 'breaker' | 'down'
  /** By the clock of its host: tells one question of a session from the next. */
  since: string
}

/** A host whose worker is not heard of, with sessions that nothing watches meanwhile. */
export interface SilentHost {
  host: string
  /** When it was last heard of. */
  since: string
  sessions: number
}

/** The pool is expected to run dry. */
export interface ForeseenDrySpell {
  dryAt: string
  /** When the first account resets after that, or null if that is not known. */
  resetAt: string | null
}

export interface HostReport {
  host: string
  sessions: SessionNeed[]
  /** Accounts without a login, those of the healer among them. */
  loggedOut: string[]
  /** The other hosts that this one misses; null while it has not listened for long enough to know. */
  silentHosts: SilentHost[] | null
  /** Null if the pool lasts, or too little is known. */
  drySpell: ForeseenDrySpell | null
}

/** The newest report of each host, the newest of all last. */
export type HostReports = readonly HostReport[]

export function withReport(reports: HostReports, report: HostReport): HostReports {
  const before = reports.find(({ host }) => host === report.host)
  const silentHosts = report.silentHosts ?? before?.silentHosts ?? null
  return [...reports.filter((one) => one !== before), { ...report, silentHosts }]
}

/**
 * The newest report decides: every host that lives sees the same signs of life, and says at once what has changed. A host that
 * reports is heard of.
 */
export function silentHostsOf(reports: HostReports): SilentHost[] {
  const newest = reports.findLast(({ silentHosts }) => silentHosts !== null)
  return (newest?.silentHosts ?? []).filter(({ host }) => host !== reports.at(-1)?.host)
}

/** The host that carries out a step which any host can: `preferred`, or while that is silent the one that reported last. */
export function livingHost(preferred: string, reports: HostReports): string {
  const isSilent = silentHostsOf(reports).some(({ host }) => host === preferred)
  return isSilent ? (reports.at(-1)?.host ?? preferred) : preferred
}
