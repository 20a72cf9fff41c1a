/** What a person reads of accounts in a terminal: numbers before bars, no contradiction, and ASCII if the locale asks for it. */
import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { columnsFor } from '../../client/commands/accounts.js'
import { renderTable } from '../../client/output/table.js'
import { columnsOf, drawable } from '../../client/output/terminal.js'
import type { AccountRow } from '../../policy/account/accountRow.js'
import { at, window } from './builders.js'

const colors = picocolors.createColors(false)
const now = new Date(at(1))
const row = (name: string, walled: boolean): AccountRow => ({
  ...{ name, role: 'pool', walledUntil: walled ? at(60) : null, leases: ['docs'], pages: [] },
  state: walled ? 'walled' : 'ready',
  windows: [
    { ...window({ used: 0.2 }), walled },
    { ...window({ name: 'seven_day', used: 0.5, resetsAt: at(5_000) }), walled: false },
  ],
})
const forecasts = new Map([
  ['max-1', { window: 'five_hour', runsOutAt: at(100), from: at(80), to: null, resetsAt: at(120) }],
  ['max-2', { window: 'five_hour', runsOutAt: null, from: null, to: null, resetsAt: at(120) }],
])
const table = (width: number): string =>
  renderTable(
    [row('max-1', false), row('max-2', true), row('new', false)],
    columnsFor(colors, now, forecasts),
    width,
    colors,
  )

describe('the table of accounts', () => {
  it('has the numbers before the bars, which a narrow terminal drops first', () => {
    expect(table(200)).toMatch(/^max-1 .* 5h 20% until .* 7d 50% until .*~.*ago +██░░░░░░ ████░░░░$/m)
    expect(Math.max(...table(80).split('\n').map(columnsOf))).toBeLessThanOrEqual(80)
    expect(table(80)).toContain('5h 20%')
    expect(table(80)).toContain('RUNS OUT')
    expect(table(80)).not.toMatch(/[█░]/)
  })

  it('shows no share beside a wall that refutes it, and whether a forecast is known', () => {
    const lines = table(200).split('\n')
    expect(lines[2]).toMatch(/^max-2 .* 5h walled until .* lasts .*████████ ████░░░░$/)
    expect(lines[2]).not.toContain('20%')
    expect(lines[3]).toMatch(/^new .* - +\d+ \w+ ago/)
  })
})

describe('drawings', () => {
  const terminal = { isTTY: true }
  const drawn = '█░ a → b … ü'

  it('are ASCII of the same width if the locale of the terminal is not UTF-8, and other letters stay', () => {
    expect(drawable(drawn, terminal, {})).toBe('#. a > b ~ ü')
    expect(drawable(drawn, terminal, { LC_ALL: 'C', LANG: 'de_DE.UTF-8' })).toBe('#. a > b ~ ü')
  })

  it('stay as they are in a UTF-8 locale, and in what a program reads', () => {
    expect(drawable(drawn, terminal, { LANG: 'de_DE.UTF-8' })).toBe(drawn)
    expect(drawable(drawn, terminal, { LC_ALL: '', LC_CTYPE: 'C.utf8', LANG: 'C' })).toBe(drawn)
    expect(drawable(drawn, { isTTY: false }, {})).toBe(drawn)
  })
})
