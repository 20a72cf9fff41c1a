/** Pages that the agent program opens at its start, and that keep a session from being started unattended. */
import type { AccountFacts, HostPages, OpenPage } from '../account/account.js'
import { toMs } from '../instants.js'
import type { LeaseRequest } from '../pool/lease.js'

/** The known pages with the report of a host. Of two reports of one host the newer one counts. */
export function mergePages(
  known: readonly HostPages[] | undefined,
  reported: HostPages | undefined,
): HostPages[] | undefined {
  const before = known?.find(({ host }) => host === reported?.host)
  const isOld = reported === undefined || (before !== undefined && toMs(before.at) > toMs(reported.at))
  if (isOld) return known === undefined ? undefined : [...known]
  return [...(known ?? []).filter((one) => one !== before), reported]
}

/** The page that the session would meet under the account now, or null. */
export function blockingPage(
  { pages = [] }: Pick<AccountFacts, 'pages'>,
  { host, cwd, allowOpenPage = false }: Pick<LeaseRequest, 'host' | 'cwd' | 'allowOpenPage'>,
  now: number,
): OpenPage | null {
  if (allowOpenPage || pages.length === 0) return null
  const open = pages.find((one) => one.host === host)?.open ?? []
  const met = (page: OpenPage): boolean => toMs(page.until) > now && (page.cwd === null || page.cwd === cwd)
  return open.find(met) ?? null
}

/** All pages that are open under the account now, on any host. */
export const openPages = ({ pages = [] }: Pick<AccountFacts, 'pages'>, now: number): OpenPage[] =>
  pages.flatMap(({ open }) => open.filter(({ until }) => toMs(until) > now))

export const pageText = ({ what, remedy }: OpenPage): string => `opens ${what}: ${remedy}`
