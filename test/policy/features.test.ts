/** What is switched off for a version of an agent program that fell short, and what a person hears of it. */
import { describe, expect, it } from 'vitest'
import { expectations } from '../../agents/claude-code/expectations.js'
import { accountToWaitFor, features, featuresOff, isOff } from '../../policy/features.js'
import { featuresOffText, featureTexts, movesOffAttention } from '../../policy/featureTexts.js'

const result = (name: string, outcome: 'held' | 'broken' | 'unchecked') => ({
  ...{ name, outcome },
  feature: expectations.find((one) => one.name === name)?.feature ?? null,
})

describe('what is switched off', () => {
  it('is what stands on a broken expectation, with every one that broke, in a fixed order', () => {
    const off = featuresOff([
      result('stash-key', 'broken'),
      result('transcript-file', 'broken'),
      result('resume-after-copy', 'broken'),
      result('hook-stop', 'broken'),
      result('fork', 'held'),
    ])
    expect(off).toEqual([
      { feature: 'moves', missed: ['transcript-file', 'resume-after-copy'] },
      { feature: 'stash', missed: ['stash-key'] },
    ])
    expect(features.filter((feature) => isOff(off, feature))).toEqual(['moves', 'stash'])
  })

  it('is nothing for what could not be checked, or was never rehearsed', () => {
    expect(featuresOff([result('resume-after-copy', 'unchecked')])).toEqual([])
    expect(features.some((feature) => isOff(undefined, feature))).toBe(false)
  })

  it('law 5: keeps a session where its conversation is, wherever else there is room', () => {
    expect(accountToWaitFor([{ feature: 'moves', missed: ['resume-after-copy'] }], 'max-1')).toBe('max-1')
    expect(accountToWaitFor([], 'max-1')).toBeNull()
    expect(accountToWaitFor(undefined, 'max-1')).toBeNull()
  })
})

describe('the expectations', () => {
  it('have at least one for each feature', () => {
    for (const feature of features) expect(expectations.map((one) => one.feature)).toContain(feature)
  })
})

describe('law 14: what a person hears', () => {
  it('law 14: says what each loss means, or nothing', () => {
    expect(featuresOffText([])).toBeNull()
    expect(featuresOffText(['moves', 'stash'])).toBe(`${featureTexts.moves}; ${featureTexts.stash}`)
  })

  it('law 14: a session that waits for its account says why, and what to do', () => {
    const of = { session: 'docs', agent: 'claude-code', account: 'max-1' }
    expect(movesOffAttention(undefined, of)).toBeNull()
    expect(movesOffAttention([{ feature: 'stash', missed: ['stash-key'] }], of)).toBeNull()
    const attention = movesOffAttention([{ feature: 'moves', missed: ['resume-after-copy'] }], of)
    expect(attention).toMatch(/^it waits for max-1, .*resume-after-copy.*outpool move docs --to ACCOUNT$/)
  })
})
