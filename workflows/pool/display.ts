/** What a pool shows in the engine: the details page of the Web UI. */
import { setCurrentDetails } from '@temporalio/workflow'
import { clock, percent } from '../../policy/instants.js'
import type { PoolView } from '../../policy/pool/lease.js'

/** Sessions that wait beyond these are not listed. */
const waitingShown = 20

export const showPool = (pool: PoolView): void => setCurrentDetails(page(pool, Date.now()))

function page({ accounts, waitlist }: PoolView, now: number): string {
  const rows = accounts.map(({ name, windows, leases, login }) => {
    const used = windows.map((window) => `${window.name} ${percent(window.used)}`).join(', ')
    return `| ${name} | ${used || 'not read yet'} | ${login} | ${leases.length} |`
  })
  const waiting = waitlist.map(({ session, why, retryAt }) => {
    const until = retryAt === null ? '' : ` (again at ${clock(Date.parse(retryAt), now)})`
    return `- **${session}**: ${why}${until}`
  })
  return [
    '| account | used | login | sessions |',
    '|---|---|---|---|',
    ...rows,
    waiting.length === 0 ? '\nNo session waits.' : `\n${waiting.slice(0, waitingShown).join('\n')}`,
  ].join('\n')
}
