/** `outpool usage`: tokens by session, account or day, and what they would cost by the prices of the configuration. */
import { z } from 'zod'
import type { Colors } from 'picocolors/types.js'
import { loadConfig } from '../../config/load/load.js'
import { usageBy, type UsageRow } from '../../policy/account/usage.js'
import { parseJsonAs } from '../../policy/parseJson.js'
import { type CommandContext, print, printJson, printNotice } from '../commandContext.js'
import { FailedError, UsageError } from '../errors.js'
import { sinceOf } from '../output/events.js'
import { type Column, renderTable } from '../output/table.js'
import { readHostProgram } from './hostPrograms.js'

const keys = ['session', 'account', 'day'] as const
type Key = (typeof keys)[number]

const count = z.number().nonnegative()
const sumSchema = z.object({
  ...{ session: z.string(), account: z.string(), day: z.string(), model: z.string(), answers: count },
  ...{ input: count, output: count, cacheRead: count, cacheWrite: count },
})
const sumsSchema = z.array(sumSchema)

export async function usage(context: CommandContext): Promise<void> {
  const by = keyOf(context.option('by'))
  const since = new Date(sinceOf(context.option('since') ?? '7d', new Date()))
  const { prices } = loadConfig({ path: context.config })
  const output = await readHostProgram('usage', {
    option: (name) => (name === 'since' ? since.toISOString() : context.option(name)),
    flag: (name) => context.flag(name),
  })
  if (output === null) return
  const sums = parseJsonAs(output, sumsSchema)
  if (sums === null)
    throw new FailedError(
      'the usage can not be read: command and worker are of different versions',
      'install Outpool again',
    )
  const rows = usageBy(
    sums.map(({ model, answers, input, output, cacheRead, cacheWrite, ...of }) => ({
      ...{ key: of[by], model, answers, input, output, cacheRead, cacheWrite },
    })),
    prices,
  )
  if (context.json) printJson(rows.map(({ key, ...row }) => ({ [by]: key, ...row })))
  else if (rows.length === 0) print('No session of this host has used anything in that time.')
  else print(renderTable(rows, columnsFor(by, context.colors), context.width, context.colors))
  const unpriced = new Set(sums.map(({ model }) => model).filter((model) => isUnpriced(model, prices)))
  if (unpriced.size > 0)
    printNotice(
      `no price is known for ${[...unpriced].sort().join(', ')}: name it under prices in outpool.yaml`,
    )
}

const isUnpriced = (model: string, prices: Parameters<typeof usageBy>[1]): boolean =>
  !Object.keys(prices).some((name) => model.startsWith(name))

function keyOf(given: string | null): Key {
  const known = keys.find((key) => key === (given ?? 'session'))
  if (known !== undefined) return known
  throw new UsageError(
    `usage cannot be summed by ${JSON.stringify(given)}`,
    `choose one of ${keys.join(', ')}`,
  )
}

function columnsFor(by: Key, colors: Colors): Column<UsageRow>[] {
  const number = (title: string, value: (row: UsageRow) => number): Column<UsageRow> => ({
    ...{ title, align: 'right' as const, text: (row) => shortNumber(value(row)) },
  })
  return [
    { title: by.toUpperCase(), text: ({ key }) => key, paint: (text) => colors.bold(text), shrink: 'end' },
    { title: 'COST', align: 'right', text: ({ usd }) => (usd === null ? '-' : `$${usd.toFixed(2)}`) },
    number('ANSWERS', ({ answers }) => answers),
    number('INPUT', ({ input }) => input),
    number('OUTPUT', ({ output }) => output),
    number('CACHE READ', ({ cacheRead }) => cacheRead),
    number('CACHE WRITE', ({ cacheWrite }) => cacheWrite),
  ]
}

/** `950`, `12.3k`, `4.5M` */
function shortNumber(value: number): string {
  if (value < 1_000) return String(value)
  if (value < 999_950) return `${(value / 1_000).toFixed(1)}k`
  return `${(value / 1_000_000).toFixed(1)}M`
}
