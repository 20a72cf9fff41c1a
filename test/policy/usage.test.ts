import { describe, expect, it } from 'vitest'
import { type AnswerCopy, countedAnswers, usageBy } from '../../policy/account/usage.js'
import { at } from './builders.js'

const copy = (
  id: string,
  place: string,
  copyLength: number,
  change: Partial<AnswerCopy> = {},
): AnswerCopy => ({
  ...{ id, at: at(Number(id)), session: 'docs', place, copyLength, model: 'claude-x' },
  ...{ input: 1, output: 2, cacheRead: 3, cacheWrite: 4, ...change },
})
const placesOf = (copies: AnswerCopy[], arrivals: Parameters<typeof countedAnswers>[1] = []) =>
  countedAnswers(copies, arrivals).map(({ id, place }) => [id, place])

describe('an answer', () => {
  it('counts once, with its whole count, however many copies and entries there are', () => {
    const entries = [copy('1', 'a', 2, { output: 1 }), copy('1', 'a', 2, { output: 9 }), copy('1', 'b', 3)]
    expect(countedAnswers(entries, [])).toMatchObject([{ id: '1', output: 9, input: 1 }])
  })

  it('counts on the account where the session was then, which its copies forget when it returns', () => {
    // From a to b and back: the copy on a has everything.
    const copies = ['1', '2', '3'].map((id) => copy(id, 'a', 3)).concat(copy('1', 'b', 2), copy('2', 'b', 2))
    const arrivals = [
      { session: 'docs', place: 'a', at: at(0) },
      { session: 'docs', place: 'b', at: at(1.5) },
      { session: 'docs', place: 'a', at: at(2.5) },
    ]
    expect(placesOf(copies, arrivals)).toEqual([
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'a'],
    ])
  })

  it('without a record of the moves counts where its copy ends first', () => {
    expect(placesOf([copy('1', 'b', 2), copy('2', 'b', 2), copy('1', 'a', 1)])).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ])
  })
})

it('sums are exact, and cost nothing is never said where a price is missing', () => {
  const used = { answers: 1, input: 1e6, output: 2e6, cacheRead: 0, cacheWrite: 0 }
  const prices = { 'claude-x': { input: 3, output: 15, cacheRead: 0, cacheWrite: 0 } }
  const rows = usageBy(
    [
      { key: 'b', model: 'claude-x-5', ...used },
      { key: 'a', model: 'other', ...used },
      { key: 'b', model: 'claude-x', ...used },
      { key: 'a', model: 'claude-x', ...used },
    ],
    prices,
  )
  expect(rows).toMatchObject([
    { key: 'a', answers: 2, input: 2e6, usd: null },
    { key: 'b', answers: 2, output: 4e6, usd: 66 },
  ])
})
