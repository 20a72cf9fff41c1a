/** Reads the conditions that a person may have to be notified of off the pool's state and the reports of its hosts. */
import { simulatedWallUntil } from '../pool/simulatedWall.js'
import type { PoolState } from '../pool/poolState.js'
import { toMs } from '../instants.js'
import { type HostReports, livingHost, silentHostsOf } from './hostReport.js'
import type { PoolConditions } from './notice.js'
import { eligibilityOf, type IneligibleCause } from '../account/eligibility.js'

/** A full account, or one on trial, still serves the sessions that are on it. */
const spentCauses: readonly IneligibleCause[] = [
  'disabled',
  'duplicate',
  'logged-out',
  'resting',
  'walled',
  'ceiling',
]

export function poolConditions(state: PoolState, reports: HostReports, now: string): PoolConditions {
  const accounts = state.accounts.filter(({ role, removed }) => role === 'pool' && !removed)
  const spent = accounts.flatMap((account) => {
    const eligibility = eligibilityOf(state, account, null, toMs(now))
    return eligibility.kind === 'ineligible' && spentCauses.includes(eligibility.cause)
      ? [`${account.name} ${eligibility.why()}`]
      : []
  })
  const dry = accounts.length > 0 && spent.length === accounts.length ? spent.join(', ') : null
  // The session of a drill waits on purpose.
  const isOfDrill = (session: string): boolean => simulatedWallUntil(state, session, toMs(now)) !== null
  const isInPool = (name: string): boolean => state.accounts.some((account) => account.name === name)
  return {
    ...{ pool: state.settings.name, dry },
    waitlist: state.waitlist.flatMap(({ request: { session }, notified }) =>
      notified === null || isOfDrill(session)
        ? []
        : [{ session, why: notified.why, retryAt: notified.retryAt }],
    ),
    loggedOut: [
      ...accounts.filter(({ login }) => login === 'out').map(({ name }) => name),
      ...new Set(reports.flatMap(({ loggedOut }) => loggedOut).filter((name) => !isInPool(name))),
    ],
    needs: reports
      .flatMap(({ sessions }) => sessions)
      // What keeps a session on the waitlist is part of that notice.
      .filter(({ session }) => !isOfDrill(session) && !isWaiting(state, session)),
    silentHosts: silentHostsOf(reports),
    drySpell:
      dry === null
        ? (reports.find(({ host }) => host === livingHost(state.settings.host, reports))?.drySpell ?? null)
        : null,
  }
}

const isWaiting = ({ waitlist }: PoolState, session: string): boolean =>
  waitlist.some(({ request }) => request.session === session)
