/** What usage costs, and when a budget is spent. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addCosts,
  budgetReading,
  costOf,
  periodStart,
  spentBudgetWall,
  totalUsage,
  type Prices,
} from '../../policy/account/spend.js'

describe('the cost of a substrate', () => {
  const prices: Prices = {
    'claude-haiku': { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
    'claude-haiku-4-5': { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 },
  }
  const used = { model: 'claude-haiku-4-5-20251001', input: 1e6, output: 1e5, cacheRead: 1e6, cacheWrite: 0 }

  it('is priced by the longest matching name, and by the highest price if none matches', () => {
    expect(costOf(used, prices)).toBeCloseTo(2 + 1 + 0.2)
    expect(costOf({ ...used, model: 'claude-haiku-3' }, prices)).toBeCloseTo(1 + 0.5 + 0.1)
    expect(costOf({ ...used, model: 'something-new' }, prices)).toBeCloseTo(2 + 1 + 0.2)
  })

  it('never falls with more tokens, and is the sum of its parts', () => {
    const tokens = fc.nat(10_000_000)
    const usage = fc.record({ input: tokens, output: tokens, cacheRead: tokens, cacheWrite: tokens })
    fc.assert(
      fc.property(usage, usage, (one, other) => {
        const model = 'claude-haiku'
        const sum = {
          model,
          input: one.input + other.input,
          output: one.output + other.output,
          cacheRead: one.cacheRead + other.cacheRead,
          cacheWrite: one.cacheWrite + other.cacheWrite,
        }
        const parts = costOf({ model, ...one }, prices) + costOf({ model, ...other }, prices)
        expect(costOf(sum, prices)).toBeCloseTo(parts, 6)
        expect(parts).toBeGreaterThanOrEqual(costOf({ model, ...one }, prices))
      }),
    )
  })

  it('counts an answer once, however many entries it has, whatever is written between them, and wherever the last read stopped', () => {
    const row = fc.record({ id: fc.constantFrom('a', 'b', 'c'), usd: fc.constantFrom(1, 2, 4) })
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), fc.nat(12), (rows, cut) => {
        const most = (id: string): number =>
          Math.max(0, ...rows.filter((one) => one.id === id).map(({ usd }) => usd))
        const first = addCosts([], rows.slice(0, cut))
        const rest = addCosts(first.counted, rows.slice(cut))
        expect(first.usd + rest.usd).toBe(most('a') + most('b') + most('c'))
      }),
    )
  })

  it('remembers only a few answers, the newest ones, however long the conversation', () => {
    const rows = Array.from({ length: 1_000 }, (_, n) => ({ id: String(n), usd: 1 }))
    const { usd, counted } = addCosts([], rows)
    expect(usd).toBe(1_000)
    expect(counted.length).toBeLessThan(50)
    expect(addCosts(counted, [{ id: '999', usd: 3 }]).usd).toBe(2)
  })

  it('a budget is spent for its period and no longer', () => {
    const budget = { usd: 5, per: 86_400_000 }
    expect(periodStart('2026-11-22T12:00:00.000Z', budget)).toBe('2026-11-22T00:00:00.000Z')
    const half = budgetReading(2.5, budget, '2026-11-22T12:00:00.000Z')
    expect(half).toMatchObject({ name: 'budget', used: 0.5, resetsAt: '2026-11-23T00:00:00.000Z' })
    expect(spentBudgetWall([half], half.readAt)).toBeNull()
    const spent = budgetReading(7, budget, half.readAt)
    expect(spentBudgetWall([spent], half.readAt)).toMatchObject({ kind: 'budget', resetsAt: spent.resetsAt })
    expect(spentBudgetWall([spent], '2026-11-23T00:00:00.000Z')).toBeNull()
  })
})

describe("the usage of an escalation's agent", () => {
  it('counts an answer once, however many entries it has, and leaves out what came from the cache', () => {
    const row = (id: string, output: number) => ({
      ...{ id, model: 'm', input: 10, output, cacheRead: 1_000_000, cacheWrite: 5 },
    })
    expect(totalUsage([row('a', 1), row('a', 20), row('b', 2)])).toEqual({ answers: 2, tokens: 35 + 17 })
  })
})
