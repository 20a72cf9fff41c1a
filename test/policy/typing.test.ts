import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  enterEvery,
  maxEnters,
  retypeAfter,
  type InputLineState,
  nextTypingStep,
  maxTypings,
} from '../../policy/session/typing.js'

const fresh: InputLineState = { typed: 0, entered: 0, sinceLastKey: null, followed: 'none', line: 'empty' }
const next = (observed: Partial<InputLineState>) => nextTypingStep({ ...fresh, ...observed })

describe('how a text gets into the input line', () => {
  it('law 13: is typed, sent, and taken according to what followed, in whatever form the program recorded it', () => {
    expect(next({})).toBe('type')
    expect(next({ typed: 1, entered: 0, sinceLastKey: 200, line: 'ours' })).toBe('enter')
    expect(next({ typed: 1, entered: 1, sinceLastKey: 500, followed: 'another' })).toBe('taken')
    expect(next({ typed: 1, entered: 1, sinceLastKey: 500, followed: 'same', line: 'ours' })).toBe('taken')
  })

  it('law 13: is typed again only if nothing at all followed, and never a third time', () => {
    const waited = retypeAfter + 1
    expect(next({ typed: 1, entered: 1, sinceLastKey: retypeAfter - 1 })).toBe('wait')
    expect(next({ typed: 1, entered: 1, sinceLastKey: waited })).toBe('type')
    expect(next({ typed: 1, entered: 1, sinceLastKey: waited, followed: 'another' })).toBe('taken')
    expect(next({ typed: 2, entered: 1, sinceLastKey: waited })).toBe('give-up')
  })

  it('law 13: a line that still holds it is sent again a few times, and not typed again', () => {
    expect(next({ typed: 1, entered: 1, sinceLastKey: enterEvery + 1, line: 'ours' })).toBe('enter')
    expect(next({ typed: 1, entered: 1, sinceLastKey: enterEvery - 1, line: 'ours' })).toBe('wait')
    expect(next({ typed: 1, entered: maxEnters, sinceLastKey: retypeAfter + 1, line: 'ours' })).toBe(
      'give-up',
    )
  })

  it("law 5: a person's draft is put aside, and their prompt is not mistaken for ours", () => {
    expect(next({ line: 'other' })).toBe('aside')
    expect(next({ followed: 'another' })).toBe('type')
    expect(next({ typed: 1, entered: 1, sinceLastKey: 10_000, followed: 'another', line: 'ours' })).toBe(
      'enter',
    )
  })

  it('law 5: nothing is typed into a line that takes shell commands, or that cannot be seen', () => {
    expect(next({ line: 'shell' })).toBe('leave-shell')
    expect(next({ line: 'hidden' })).toBe('wait')
    expect(next({ typed: 1, entered: 1, sinceLastKey: 60_000, followed: 'another', line: 'hidden' })).toBe(
      'wait',
    )
  })

  it('law 13: in any sequence of observations it costs at most two typings, and a few Enters for each', () => {
    const observed = fc.record({
      wait: fc.integer({ min: 0, max: 40_000 }),
      followed: fc.constantFrom('none' as const, 'another' as const, 'same' as const),
      line: fc.constantFrom(...(['empty', 'ours', 'other', 'shell', 'hidden'] as const)),
    })
    fc.assert(
      fc.property(fc.array(observed, { maxLength: 200 }), (observations) => {
        let typed = 0
        let entered = 0
        let enters = 0
        let sinceLastKey: number | null = null
        for (const { wait, followed, line } of observations) {
          sinceLastKey = sinceLastKey === null ? null : sinceLastKey + wait
          const step = nextTypingStep({ typed, entered, sinceLastKey, followed, line })
          if (step === 'taken' || step === 'give-up') break
          if (step === 'type') [typed, entered, sinceLastKey] = [typed + 1, 0, 0]
          if (step === 'enter') [entered, enters, sinceLastKey] = [entered + 1, enters + 1, 0]
        }
        return typed <= maxTypings && enters <= maxTypings * maxEnters + maxEnters
      }),
    )
  })
})
