/** The record of a session keeps its fence, and lets its steps take turns. */
import { describe, expect, it } from 'vitest'
import { SessionRecords } from '../../host/state/sessionRecords.js'
import type { Home } from '../../config/state/home.js'
import { eachWithHome } from './eachWithHome.js'

let home: Home
eachWithHome((made) => (home = made))

describe('fences', () => {
  const launch = (fence: number) => ({
    fence,
    place: { kind: 'account' as const, name: 'max-1' },
    agent: 'claude-code',
    sessionId: 'one',
    cwd: home.dir,
    process: null,
    transcriptFrom: 0,
    prompt: null,
    forkedAt: null,
  })

  it('law 3: an older fence launches nothing, and neither does one that was stopped; also after a restart', () => {
    const records = new SessionRecords(home)
    records.saveLaunch('alpha', launch(7))
    for (const again of [records, new SessionRecords(home)]) {
      expect(() => again.assertLaunchable('alpha', 6)).toThrow(/fence 6 .*older than 7/)
      expect(() => again.assertLaunchable('alpha', 7)).not.toThrow()
    }
    records.saveStop('alpha', 8)
    for (const again of [records, new SessionRecords(home)]) {
      expect(() => again.assertLaunchable('alpha', 8)).toThrow(/fence 8/)
      expect(() => again.assertLaunchable('alpha', 9)).not.toThrow()
    }
  })

  it('law 3: steps of one session take turns, also after one that failed', async () => {
    const records = new SessionRecords(home)
    const order: string[] = []
    const step = (name: string, fails = false) =>
      records.runExclusive('alpha', async () => {
        order.push(`${name} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        order.push(`${name} ends`)
        if (fails) throw new Error(name)
      })
    await Promise.allSettled([step('one', true), step('two'), step('three')])
    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends', 'three begins', 'three ends'])
  })
})
