/** `outpool forecast` */
import type { Config } from '../../config/config.js'
import { loadConfig } from '../../config/load/load.js'
import { type Home, openHome } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { iso } from '../../policy/instants.js'
import { poolForecast, type PoolForecast } from '../../policy/forecast/poolForecast.js'
import { type CommandContext, print, printJson } from '../commandContext.js'
import { UsageError } from '../errors.js'
import { type AccountForecastRow, forecastText, pastUsage, toForecastRow } from '../output/forecast.js'
import { type Column, renderTable } from '../output/table.js'
import { formatLocalClock, span } from '../output/times.js'

interface Answer {
  accounts: (AccountForecastRow & { name: string })[]
  pool: PoolForecastRow | null
}

interface PoolForecastRow {
  dryAt: string | null
  earliest: string | null
  latest: string | null
  nextResetAt: string | null
  /** Hours within the next seven days in which no account has room. */
  parkedHours: number
  accounts: number
  accountsNeeded: number | null
}

/** Needs no engine: everything is read from the files of this host. */
export function forecast(context: CommandContext): Promise<void> {
  const config = loadConfig({ path: context.config })
  const now = new Date()
  const answer = answerOf(openHome(), config, context, now)
  if (context.json) printJson(answer)
  else print(pageOf(answer, context, now).join('\n'))
  return Promise.resolve()
}

function answerOf(home: Home, config: Config, context: CommandContext, now: Date): Answer {
  const live = readLive(home)
  const usage = pastUsage(home, config, live)
  const sessions = Object.keys(live?.sessions ?? {}).length
  const extra = wholeNumber(context.option('accounts'), '--accounts', -usage.length) ?? 0
  const wanted = wholeNumber(context.option('sessions'), '--sessions', 0)
  if (wanted !== null && sessions === 0)
    throw new UsageError('no session runs, so nothing is known of what one burns', 'leave out --sessions')
  const load = wanted === null ? 1 : wanted / sessions
  const pool = poolForecast(usage, { accounts: extra, load }, now.getTime())
  return {
    accounts: usage.map((account) => ({ name: account.name, ...toForecastRow(account, now.getTime()) })),
    pool: pool === null ? null : toPoolRow(pool, usage.length + extra),
  }
}

function wholeNumber(text: string | null, option: string, least: number): number | null {
  if (text === null) return null
  const value = Number(text)
  if (/^[+-]?\d{1,3}$/.test(text) && value >= least) return value
  throw new UsageError(`${option} ${text} is not a whole number from ${least} on`, `such as ${option} 1`)
}

const isoOr = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : iso(at)

const toPoolRow = (pool: PoolForecast, accounts: number): PoolForecastRow => ({
  ...{ dryAt: isoOr(pool.dry?.from), earliest: isoOr(pool.earliest), latest: isoOr(pool.latest) },
  ...{ nextResetAt: isoOr(pool.dry?.until), parkedHours: Math.round(pool.parked / 360_000) / 10 },
  ...{ accounts, accountsNeeded: pool.accountsNeeded },
})

function pageOf({ accounts, pool }: Answer, { width, colors }: CommandContext, now: Date): string[] {
  const columns: Column<Answer['accounts'][number]>[] = [
    { title: 'NAME', text: ({ name }) => name, paint: (text) => colors.bold(text), shrink: 'end' },
    { title: 'WINDOW', text: ({ window }) => window ?? '-' },
    { title: 'FORECAST', text: (row) => forecastText(row, now), shrink: 'end' },
  ]
  return [renderTable(accounts, columns, width, colors), '', ...poolLines(pool, now)]
}

function poolLines(pool: PoolForecastRow | null, now: Date): string[] {
  if (pool === null)
    return ['Too little is recorded for a forecast of the pool; a few hours of work are enough.']
  const { dryAt, earliest, latest, nextResetAt, parkedHours, accounts, accountsNeeded } = pool
  const between =
    earliest === null
      ? ''
      : latest === null
        ? ` (not before ${formatLocalClock(earliest, now)})`
        : ` (between ${formatLocalClock(earliest, now)} and ${formatLocalClock(latest, now)})`
  const dry =
    dryAt === null
      ? `With ${accounts} accounts the pool lasts for the next seven days.`
      : `With ${accounts} accounts the pool runs dry at about ${formatLocalClock(dryAt, now)}${between}${
          nextResetAt === null
            ? '.'
            : `; next reset ${formatLocalClock(nextResetAt, now)}, after ${span(Date.parse(nextResetAt) - Date.parse(dryAt))}.`
        }`
  const needed = accountsNeeded === null ? 'more than 100 accounts' : `${accountsNeeded} accounts`
  return [
    dry,
    ...(dryAt === null ? [] : [`In seven days sessions would be parked for ${parkedHours} h.`]),
    `To never park, this fleet would need ${needed}.`,
  ]
}
