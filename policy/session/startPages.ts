/** Pages that the agent program opens at its start: where they stand, a session can't be started unattended. */
import type { AccountFacts, HostPages, OpenPage } from '../account/account.js'
import { ms } from '../instants.js'
import type { LeaseRequest } from '../pool/lease.js'

/** What is known, with what a host says now; of two words of one host the newer one counts. */
export function mergePages(
  known: readonly HostPages[] | undefined,
  reported: HostPages | undefined,
): HostPages[] | undefined {
  const before = known?.find(({ host }) => host === reported?.host)
  const isOld = reported === undefined || (before !== undefined && ms(before.at) > ms(reported.at))
  if (isOld) return known === undefined ? undefined : [...known]
  return [...(known ?? []).filter((one) => one !== before), reported]
}

/** The page that this request's session would meet under the account now, or null. */
export function blockingPage(
  { pages = [] }: Pick<AccountFacts, 'pages'>,
  { host, cwd, despitePages = false }: Pick<LeaseRequest, 'host' | 'cwd' | 'despitePages'>,
  now: number,
): OpenPage | null {
  if (despitePages || pages.length === 0) return null
  const standing = pages.find((one) => one.host === host)?.open ?? []
  const met = (page: OpenPage): boolean => ms(page.until) > now && (page.cwd === null || page.cwd === cwd)
  return standing.find(met) ?? null
}

/** All that stand under the account now, on any host. */
export const openPages = ({ pages = [] }: Pick<AccountFacts, 'pages'>, now: number): OpenPage[] =>
  pages.flatMap(({ open }) => open.filter(({ until }) => ms(until) > now))

export const pageText = ({ what, remedy }: OpenPage): string => `opens ${what}: ${remedy}`
