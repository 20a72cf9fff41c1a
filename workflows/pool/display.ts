/** What a pool shows in the engine: the details page of the Web UI, and what its timers wait for. */
import { setCurrentDetails } from '@temporalio/workflow'
import { counted } from '../../policy/formatCount.js'
import { formatClock, percent } from '../../policy/instants.js'
import { silentHostsOf } from '../../policy/notices/hostReport.js'
import type { PoolState } from '../../policy/pool/transitions.js'
import { poolView } from '../../policy/pool/poolView.js'
import type { PoolWorkflowState } from './state.js'

/** Sessions that wait beyond these are not listed. */
const waitingShown = 20

export const showPool = (state: PoolWorkflowState): void => setCurrentDetails(page(state, Date.now()))

function page({ pool, hosts = [], story = [] }: PoolWorkflowState, now: number): string {
  const { accounts, waitlist } = poolView(pool)
  const at = (instant: string): string => formatClock(Date.parse(instant), now)
  const rows = accounts.map(({ name, windows, leases, login }) => {
    const used = windows.map((window) => `${window.name} ${percent(window.used)}`).join(', ')
    return `| ${name} | ${used || 'not read yet'} | ${login} | ${leases.length} |`
  })
  const waiting = waitlist.map(
    ({ session, why, retryAt }) =>
      `- **${session}**: ${why}${retryAt === null ? '' : ` (again at ${at(retryAt)})`}`,
  )
  const silent = silentHostsOf(hosts).map(
    ({ host, since, sessions }) =>
      `- The worker of **${host}** was last heard of at ${at(since)}: ${counted(sessions, 'session')} there not watched`,
  )
  return [
    `Accounts of **${pool.settings.name}**; times are in UTC.`,
    '',
    '| account | used | login | sessions |',
    '|---|---|---|---|',
    ...rows,
    ...list('Hosts that are not heard of', silent),
    waiting.length === 0 ? '\nNo session waits.' : '',
    ...list('Sessions that wait', waiting.slice(0, waitingShown)),
    // The newest one first: the page of a browser begins there.
    ...list('What was decided', story.map((line) => `- ${at(line.at)} ${line.text}`).reverse()),
  ].join('\n')
}

/** Nothing for an empty list. */
const list = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`\n**${title}**\n`, ...lines]

/** What the pool waits for until `until` (ms since the epoch), if no message comes before. */
export function waitSummary({ waitlist }: PoolState, until: number, nextDecisionAt: string | null): string {
  const at = formatClock(until, Date.now())
  if (nextDecisionAt === null || Date.parse(nextDecisionAt) > until)
    return `until ${at}: a notice may be due, and leases are compared with the sessions that run`
  const [first] = waitlist
  if (first === undefined) return `until ${at}: a session on a fallback may get an account`
  const more = waitlist.length === 1 ? '' : ` and ${waitlist.length - 1} more`
  return `until ${at}: the next chance of ${first.request.session}${more}`
}
