/** Which keys may be removed. */
import { describe, expect, it } from 'vitest'
import { keyVerdict } from '../../policy/sealKeys.js'

const day = 24 * 60 * 60_000
const now = Date.UTC(2026, 10, 30)
const time = { retention: 30 * day, now }
const old = { isCurrent: false, sealedUntil: now - 32 * day }

describe('law 5: a key that sealed messages', () => {
  it('goes once nothing that it sealed can be stored, and none was found', () => {
    expect(keyVerdict(old, false, time)).toEqual({ kind: 'remove' })
  })

  it('stays while something that it sealed is stored, or was not looked for', () => {
    expect(keyVerdict(old, true, time)).toEqual({ kind: 'keep', why: 'in-use' })
    expect(keyVerdict(old, null, time)).toEqual({ kind: 'keep', why: 'in-use' })
  })

  it('stays, found or not, as long as the engine keeps what has ended, and a day more', () => {
    const sealedUntil = now - 30 * day
    const until = sealedUntil + 31 * day
    expect(keyVerdict({ isCurrent: false, sealedUntil }, false, time)).toEqual({
      ...{ kind: 'keep', why: 'retention', until },
    })
    expect(keyVerdict({ isCurrent: false, sealedUntil }, false, { ...time, now: until })).toEqual({
      kind: 'remove',
    })
  })

  it('is never the current one, and never one that may be about to seal', () => {
    expect(keyVerdict({ ...old, isCurrent: true }, false, time)).toEqual({ kind: 'keep', why: 'current' })
    expect(keyVerdict({ isCurrent: false, sealedUntil: null }, false, time)).toEqual({
      ...{ kind: 'keep', why: 'unused' },
    })
  })
})
