/** The results of benchmarks are stored, and the pages show what is stored. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Measured } from '../../bench/harness.js'
import { pageOf, readmeOf, table } from '../../bench/report.js'
import { readPeers, tableOf } from '../../bench/peers/page.js'
import { charts, merged, readStore } from '../../bench/store.js'
import { laidOut } from '../../lab/laidOut.js'

const measured = (
  name: string,
  sessions: number | null,
  day: number,
  overrides: Partial<Measured> = {},
): Measured => ({
  ...{
    name,
    description: name,
    machine: 'two cores',
    commit: 'abc1234',
    at: `2026-11-0${day}T00:00:00.000Z`,
  },
  ...{ load: 1, sessions, rows: [], ...overrides },
})
const order = ['rescue', 'herd']
const named = (all: Measured[]) =>
  all.map(({ name, sessions, at }) => `${name} ${sessions ?? '-'} ${at.slice(8, 10)}`)

describe('docs/performance.json', () => {
  it('keeps the newest result of each measure in each size, in the order of the measures', () => {
    const stored = [measured('herd', 500, 1), measured('herd', 100, 2), measured('rescue', null, 3)]
    expect(named(merged(stored, [measured('herd', 100, 4)], order))).toEqual([
      'rescue - 03',
      'herd 100 04',
      'herd 500 01',
    ])
    expect(named(merged(stored, [], order))).toHaveLength(3)
  })

  it('keeps the figures of a measure that no longer exists, after the others', () => {
    expect(named(merged([measured('old', null, 1)], [measured('herd', 5, 2)], order))).toEqual([
      'herd 5 02',
      'old - 01',
    ])
  })

  it('joins a curve over sizes from the results of each size', () => {
    const chart = (...points: [number, number][]) => ({
      ...{ name: 'growth', title: 't', x: 'sessions', y: 's', curves: [{ name: 'outpool', points }] },
    })
    const all = [
      measured('growth', 100, 2, { chart: chart([100, 9]) }),
      measured('growth', null, 1, { chart: chart([10, 1], [100, 5], [500, 30]) }),
    ]
    expect(charts(all)).toEqual([chart([10, 1], [100, 9], [500, 30])])
  })

  it('treats a result with fewer sessions than the target asks for as open', () => {
    const row = { description: 'up', unit: 's' as const, product: [2], floor: [1], goal: { ratio: 3 } }
    expect(table([measured('herd', 100, 1, { aims: 500, rows: [row] })])).toContain(
      'reached with 100; the target is for 500: open',
    )
    expect(table([measured('herd', 500, 1, { aims: 500, rows: [row] })])).toContain('≤ 3 ×: reached |')
  })

  it('matches the pages, as docs/peers.json does (npm run bench -- --page; npm run bench:peers -- --write)', () => {
    const all = readStore()
    expect(all.length).toBeGreaterThan(0)
    for (const [path, made] of [
      ['../../docs/performance.md', pageOf(all)],
      ['../../README.md', readmeOf(all)],
      ['../../docs/peers.md', tableOf(readPeers())],
    ] as const) {
      const file = fileURLToPath(new URL(path, import.meta.url))
      const [, , shown] =
        /(<!-- (?:bench|peers): begin[^>]*-->)\n\n([\s\S]*?)\n\n<!-- (?:bench|peers): end -->/.exec(
          readFileSync(file, 'utf8'),
        ) ?? []
      expect(shown).toBe(laidOut(file, made).trimEnd())
    }
  })
})
