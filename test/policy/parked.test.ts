/** Parked sessions start again without help, whatever resets and clocks do. Times are minutes after noon. */
import { describe, expect, it } from 'vitest'
import {
  decide,
  probeEnded,
  probeStarted,
  requestLease,
  recordReadings,
  type PoolState,
} from '../../policy/pool/transitions.js'
import type { AccountReading } from '../../policy/account/account.js'
import {
  at,
  grantedTo,
  leaseRequest,
  poolState,
  reading,
  recordWall,
  requestAndDecide,
  spec,
  usedAccount,
  wall,
  window,
  withReadings,
} from './builders.js'

const margin = 1 / 6
const day = 24 * 60

/** One account with this wall, and a session that is parked because of it. */
const parked = (resetsAt: string | null = at(60), ...sessions: string[]): PoolState =>
  (sessions.length === 0 ? ['s'] : sessions).reduce(
    (before, session) => requestAndDecide(before, leaseRequest(session, { cause: 'wall' })).state,
    recordWall(withReadings(poolState(spec('a')), usedAccount('a', 0.9)), 'a', wall({ resetsAt }), at(0)),
  )

/** The pool probes the account, and gets this reading. */
const withProbe = (before: PoolState, minutes: number, answer: AccountReading | null): PoolState =>
  probeEnded(probeStarted(before, 'a', at(minutes)), 'a', answer, at(minutes))

const retryOf = (state: PoolState): string | null => state.waitlist[0]?.notified?.retryAt ?? null

describe('law 10: parked sessions start again without help', () => {
  it('law 4: at the reset the account is probed, not trusted; a wall that outlives its reset parks the session until the new one', () => {
    expect(retryOf(parked())).toBe(at(60 + margin))
    const due = decide(parked(), at(61))
    expect(due).toMatchObject({ grants: [], probes: ['a'] })
    const full = reading('a', { windows: [window({ used: 1, resetsAt: at(200), readAt: at(61) })] })
    const again = decide(withProbe(due.state, 61, full), at(61))
    expect(again.grants).toEqual([])
    expect(again.denials[0]?.denial.retryAt).toBe(at(200 + margin))
  })

  it('a wall that resets early is found by a routine probe, long before its reset', () => {
    const before = parked(at(600))
    const decision = decide(before, at(60))
    expect(decision.probes).toEqual(['a'])
    const free = decide(withProbe(decision.state, 60, usedAccount('a', 0, 60)), at(60))
    expect(grantedTo(free)).toEqual({ s: 'a' })
  })

  it('a wall without a reset is doubted after half an hour, and the account is probed', () => {
    const before = parked(null)
    expect(retryOf(before)).toBe(at(30 + margin))
    expect(decide(before, at(31)).probes).toEqual(['a'])
  })

  it.each([
    ['a host that slept for a day', day],
    ['a clock that jumped by a month', 31 * day],
  ])('%s: one probe, then a start', (_, minutes) => {
    const woken = decide(parked(), at(minutes))
    expect(woken).toMatchObject({ grants: [], probes: ['a'] })
    expect(
      grantedTo(decide(withProbe(woken.state, minutes, usedAccount('a', 0, minutes)), at(minutes))),
    ).toEqual({
      s: 'a',
    })
  })

  it('a reading from a clock that is ahead does not outrank what comes until then', () => {
    const ahead = recordReadings(parked(), [usedAccount('a', 0.9, day)], at(1))
    const full = reading('a', { windows: [window({ used: 1, resetsAt: at(90), readAt: at(2) })] })
    expect(decide(recordReadings(ahead, [full], at(2)), at(3)).grants).toEqual([])
  })

  it('a clock that was set back: readings dated before the wall prove nothing, and the account is tried all the same', () => {
    const due = decide(parked(at(60), 's', 't'), at(61))
    const answered = decide(withProbe(due.state, 61, usedAccount('a', 0, 61 - day)), at(61))
    expect(grantedTo(answered)).toEqual({ s: 'a' })
  })

  it('every held state has a time at which it is checked again', () => {
    for (const minutes of [0, 1, 29, 60, 61, day])
      expect(decide(parked(null), at(minutes)).nextDecisionAt).not.toBeNull()
  })
})

describe('many parked sessions, and one account that is back', () => {
  const herd = (): PoolState =>
    ['late', 'early', 'vip'].reduce(
      (before, session, n) =>
        requestLease(
          before,
          leaseRequest(session, {
            cause: 'wall',
            priority: session === 'vip' ? 1 : 5,
            at: at([3, 1, 4][n]!),
          }),
          at([3, 1, 4][n]!),
        ),
      recordWall(
        withReadings(poolState(spec('a', { maxSessions: 2 })), usedAccount('a', 0.9)),
        'a',
        wall(),
        at(0),
      ),
    )

  it('start by priority, then by how long they have waited, as many as fit', () => {
    const back = decide(withProbe(herd(), 61, usedAccount('a', 0, 61)), at(61))
    expect(back.grants.map(({ session }) => session)).toEqual(['vip', 'early'])
    expect(back.denials.map(({ session, denial }) => [session, denial.why])).toEqual([
      ['late', 'a full (2 sessions)'],
    ])
  })

  it('law 4: one starts first on an unproven account, the next after its first reading', () => {
    const one = decide(withProbe(herd(), 61, null), at(61))
    expect(grantedTo(one)).toEqual({ vip: 'a' })
    expect(decide(one.state, at(62)).grants).toEqual([])
    const answered = window({
      ...{ used: 0.05, readAt: at(63), resetsAt: at(63 + 300), source: 'status-line' as const },
    })
    const proven = recordReadings(one.state, [reading('a', { windows: [answered] })], at(63))
    expect(grantedTo(decide(proven, at(63)))).toEqual({ early: 'a' })
  })
})
