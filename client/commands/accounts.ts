/** `outpool accounts` */
import type { Colors } from 'picocolors/types.js'
import type { Config } from '../../config/config.js'
import type { PoolDescription } from '../../config/fleet/pool.js'
import { openHome } from '../../config/state/home.js'
import { type LiveFile, readLive } from '../../config/state/liveFile.js'
import { loadConfig } from '../../config/load/load.js'
import type { AccountFacts, AccountSpec, Timing } from '../../policy/account/account.js'
import { type AccountRow, accountRow } from '../../policy/account/accountRow.js'
import { formatList } from '../../policy/formatList.js'
import { groupWaitlist, mostHelpfulAction } from '../../policy/pool/waitlist.js'
import { unexpiredWalls } from '../../policy/pool/simulatedWall.js'
import { pageText } from '../../policy/session/startPages.js'
import { newRecord, applyReading } from '../../policy/account/accountRecord.js'
import { type CommandContext, printNotice, print, printJson } from '../commandContext.js'
import { bar, newestReading, stateAndSessions, windowText } from '../output/accountCells.js'
import { type AccountForecastRow, forecastsOf, shortForecast } from '../output/forecast.js'
import { type Column, renderTable } from '../output/table.js'
import { oneLine } from '../output/terminal.js'
import { ago, formatLocalClock } from '../output/times.js'

export async function accounts(context: CommandContext): Promise<void> {
  const config = loadConfig({ path: context.config })
  const home = openHome()
  const pool = await context.fleet.pool(home, config.pool.name)
  if (pool === null)
    printNotice(
      'no worker answers for the pool, so leases are unknown and only readings of this host are shown; start one with `outpool up`',
    )
  const live = readLive(home)
  const now = new Date()
  const rows = accountRows(config, pool, live, now)
  for (const { session, until } of unexpiredWalls(pool?.simulatedWalls, now.toISOString()))
    printNotice(simulatedWallText(session, until, now))
  // The keys of the contract; pages only if there are any.
  if (context.json) printJson(rows.map(({ pages, ...row }) => (pages.length === 0 ? row : { ...row, pages })))
  else {
    const table = renderTable(
      rows,
      columnsFor(context.colors, now, forecastsOf(home, config, live, now)),
      context.width,
      context.colors,
    )
    print([table, ...drainLines(rows, pool), ...pageLines(rows, now), ...waitingLines(pool, now)].join('\n'))
  }
}

const simulatedWallText = (session: string, until: string, now: Date): string =>
  `a drill is running: every account counts as walled until ${formatLocalClock(until, now)}, for its session ${session} only`

/** Which accounts are being drained, and whether they are empty. Without the pool, that is not known. */
function drainLines(rows: readonly AccountRow[], pool: PoolDescription | null): string[] {
  const lines = rows.flatMap(({ name, draining, leases }) => {
    if (draining === undefined || pool === null) return []
    return leases.length === 0
      ? `${name} is empty: remove it with outpool accounts remove ${name}`
      : oneLine(`${name} is being drained; still on it, each until its turn ends: ${formatList(leases)}`)
  })
  return lines.length === 0 ? [] : ['', ...lines]
}

/** What a person has to answer before a session can be started there. */
function pageLines(rows: readonly AccountRow[], now: Date): string[] {
  const lines = rows.flatMap(({ name, pages }) =>
    pages.map((page) => {
      const where = page.cwd === null ? '' : ` in ${page.cwd}`
      return oneLine(`${name}${where} ${pageText(page)} (skipped until ${formatLocalClock(page.until, now)})`)
    }),
  )
  return lines.length === 0 ? [] : ['', ...lines]
}

/** Which sessions wait for what and until when, and what would help most. */
function waitingLines(pool: PoolDescription | null, now: Date): string[] {
  if (pool === null || pool.waitlist.length === 0) return []
  const lines = groupWaitlist(pool.waitlist).map(({ why, retryAt, sessions }) => {
    const until = retryAt === null ? '' : ` until ${formatLocalClock(retryAt, now)}`
    return oneLine(`${formatList(sessions)}: parked${until}: ${why}`)
  })
  return ['', ...lines, `would help most: ${mostHelpfulAction(pool, now.toISOString()) ?? 'nothing'}`]
}

/** The pool's accounts in its own order, then the healer's, which are never leased, and the substrates. */
export function accountRows(
  config: Config,
  pool: PoolDescription | null,
  live: LiveFile | null,
  now: Date,
): AccountRow[] {
  const known = pool?.accounts ?? []
  const listed = [...known.map(({ name }) => name), ...accountSpecs(config).map(({ name }) => name)]
  const specs = new Map(accountSpecs(config).map((spec) => [spec.name, spec]))
  const facts = [...new Set(listed)].flatMap((name): AccountFacts[] => {
    const reported = known.find((account) => account.name === name)
    const spec = specs.get(name)
    const base = reported ?? (spec === undefined ? undefined : factsOf(spec))
    return base === undefined ? [] : [withReading(base, live, config.timing, now)]
  })
  const inOrder = roles.flatMap((role) => facts.filter((account) => account.role === role))
  const moveAt = pool?.moveAt ?? config.pool.moveAt
  const declared = unexpiredWalls(pool?.simulatedWalls, now.toISOString())
  return inOrder.map((account) => ({
    ...accountRow(account, moveAt, now.toISOString(), inOrder, config.timing),
    ...(account.role === 'pool' && declared.length > 0 ? { declared } : {}),
  }))
}

const roles = ['pool', 'reserved', 'substrate'] as const

function accountSpecs(config: Config): AccountSpec[] {
  const spec =
    (role: 'pool' | 'reserved') =>
    (account: Config['reserved'][number]): AccountSpec => ({
      ...{ name: account.name, role, ceiling: account.ceiling, maxSessions: account.maxSessions },
    })
  return [
    ...config.pool.accounts.map((account) => ({ ...spec('pool')(account), drain: account.drain })),
    ...config.reserved.map(spec('reserved')),
    ...config.substrates.map(({ name, maxSessions }) => ({
      ...{ name, role: 'substrate' as const, ceiling: 1, maxSessions },
    })),
  ]
}

const factsOf = (spec: AccountSpec): AccountFacts => ({
  ...spec,
  ...{ windows: [], walls: [], login: 'unknown', loginAt: null, identity: null, probedAt: null },
  ...{ leases: [], trial: null, restUntil: null },
})

/** Merges in a reading of this host that the pool does not have yet. */
function withReading(facts: AccountFacts, live: LiveFile | null, timing: Timing, now: Date): AccountFacts {
  const reading = live?.accounts.find(({ account }) => account === facts.name)
  if (reading === undefined) return facts
  const record = { ...newRecord(facts), ...facts, leases: [] }
  const { windows, walls, login, loginAt, identity, probedAt, trial } = applyReading(
    record,
    reading,
    timing,
    now.getTime(),
  )
  return { ...facts, windows, walls, login, loginAt, identity, probedAt, trial }
}

/** `forecasts` by account. */
export function columnsFor(
  colors: Colors,
  now: Date,
  forecasts: ReadonlyMap<string, AccountForecastRow>,
): Column<AccountRow>[] {
  return [
    { title: 'NAME', text: (row) => row.name, paint: (text) => colors.bold(text), shrink: 'end' },
    { title: 'ROLE', text: (row) => row.role },
    ...stateAndSessions(colors, now),
    {
      title: 'WINDOWS',
      text: (row) => row.windows.map((window) => windowText(window, now)).join('  ') || '-',
      shrink: 'end',
      least: 24,
    },
    { title: 'RUNS OUT', text: ({ name }) => shortForecast(forecasts.get(name), now) },
    { title: 'READ', text: (row) => readText(row, now) },
    // Last, so that a narrow terminal drops them first.
    { title: 'USED', text: (row) => row.windows.map((window) => bar(window)).join(' ') || '-' },
  ]
}

function readText(row: AccountRow, now: Date): string {
  const newest = newestReading(row)
  return newest === null ? 'never' : ago(newest, now)
}
