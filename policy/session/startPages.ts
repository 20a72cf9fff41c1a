/** Pages that the agent program opens at its start: where they stand, a session can't be started unattended. */
import type { AccountFacts, HostPages, StandingPage } from '../account/account.js'
import { ms } from '../instants.js'
import type { LeaseRequest } from '../pool/lease.js'

/** What is known, with what a host says now; of two words of one host the newer one counts. */
export function mergePages(
  known: readonly HostPages[] | undefined,
  told: HostPages | undefined,
): HostPages[] | undefined {
  const before = known?.find(({ host }) => host === told?.host)
  const isOld = told === undefined || (before !== undefined && ms(before.at) > ms(told.at))
  if (isOld) return known === undefined ? undefined : [...known]
  return [...(known ?? []).filter((one) => one !== before), told]
}

/** The page that this request's session would meet under the account now, or null. */
export function pageInTheWay(
  { pages = [] }: Pick<AccountFacts, 'pages'>,
  { host, cwd, despitePages = false }: Pick<LeaseRequest, 'host' | 'cwd' | 'despitePages'>,
  now: number,
): StandingPage | null {
  if (despitePages || pages.length === 0) return null
  const standing = pages.find((one) => one.host === host)?.standing ?? []
  const met = (page: StandingPage): boolean => ms(page.until) > now && (page.cwd === null || page.cwd === cwd)
  return standing.find(met) ?? null
}

/** All that stand under the account now, on any host. */
export const standingPages = ({ pages = [] }: Pick<AccountFacts, 'pages'>, now: number): StandingPage[] =>
  pages.flatMap(({ standing }) => standing.filter(({ until }) => ms(until) > now))

export const pageText = ({ what, remedy }: StandingPage): string => `opens ${what}: ${remedy}`
