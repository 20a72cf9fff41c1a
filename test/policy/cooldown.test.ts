/** How long a substrate rests after refusals. */
import { describe, expect, it } from 'vitest'
import type { Wall } from '../../policy/account/account.js'
import { withCooldown } from '../../policy/account/cooldown.js'
import { at, wall } from './builders.js'

describe('cooldowns', () => {
  const refused = (minutes: number): Wall => wall({ kind: 'rate_limit', resetsAt: null, at: at(minutes) })
  const cooldown = 5 * 60_000

  it('double while the substrate keeps refusing, up to an hour, and start over after a long enough time without refusals', () => {
    const ends: number[] = []
    let last = withCooldown(refused(0), [], cooldown)
    for (let n = 0; n < 6; n++) {
      ends.push((Date.parse(last.resetsAt!) - Date.parse(last.at)) / 60_000)
      const next = (Date.parse(last.resetsAt!) - Date.parse(at(0))) / 60_000 + 1
      last = withCooldown(refused(next), [last], cooldown)
    }
    expect(ends).toEqual([5, 10, 20, 40, 60, 60])
    const later = (Date.parse(last.resetsAt!) - Date.parse(at(0))) / 60_000 + 120
    expect(withCooldown(refused(later), [last], cooldown).resetsAt).toBe(at(later + 5))
  })

  it('count the refusals that several sessions meet together as one, and shorten no wall that names its end', () => {
    const first = withCooldown(refused(0), [], cooldown)
    expect(withCooldown(refused(1), [first], cooldown).resetsAt).toBe(at(6))
    const named = wall({ kind: 'quota', at: at(0), resetsAt: at(480) })
    expect(withCooldown(refused(1), [named], cooldown).resetsAt).toBe(at(480))
  })

  it('are never shorter than configured, however short the wall before was', () => {
    const named = wall({ kind: 'quota', at: at(0), resetsAt: at(1) })
    expect(withCooldown(refused(1.5), [named], cooldown).resetsAt).toBe(at(6.5))
  })

  it('do not change a wall that names its end, or one that was reported before', () => {
    const named = wall({ resetsAt: at(60) })
    expect(withCooldown(named, [], cooldown)).toEqual(named)
    const once = withCooldown(refused(0), [], cooldown)
    expect(withCooldown(refused(0), [once], cooldown)).toEqual(once)
  })
})
