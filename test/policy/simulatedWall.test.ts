import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxSimulatedWall } from '../../policy/pool/simulatedWall.js'
import { drillSessionName, isReached, type DrillObservation } from '../../policy/independence/drill.js'
import { describeObservation, drillNotice } from '../../workflows/drill/texts.js'
import { namePattern } from '../../policy/ids.js'
import { toMs } from '../../policy/instants.js'
import {
  decide,
  simulateWall,
  liftWall,
  requestLease,
  recordReadings,
  type PoolState,
} from '../../policy/pool/transitions.js'
import { poolView } from '../../policy/pool/poolView.js'
import { poolConditions } from '../../policy/notices/poolConditions.js'
import { leaseRequest, at, poolState, grantedTo, usedAccount, requestAndDecide, spec } from './builders.js'

const two = recordReadings(
  poolState(spec('a'), spec('b')),
  [usedAccount('a', 0.1), usedAccount('b', 0.2)],
  at(0),
)
const drilled = (until = at(10)): PoolState => simulateWall(two, { session: 'drill-1', until }, at(0))

describe('law 2: simulated walls of a drill', () => {
  it("hold for the drill's session on every account, and for no other session", () => {
    const drill = requestAndDecide(drilled(), leaseRequest('drill-1'))
    expect(drill.grants).toEqual([])
    expect(drill.denials[0]!.denial).toMatchObject({
      ...{ why: 'a counts as walled for a drill until 12:10, b counts as walled for a drill until 12:10' },
      ...{ retryAt: at(10), needsLogin: false },
    })
    // No account is probed because of a wall that is only simulated.
    expect(drill.probes).toEqual([])
    expect(grantedTo(requestAndDecide(drill.state, leaseRequest('other')))).toEqual({ other: 'a' })
    expect(grantedTo(requestAndDecide(drilled(), leaseRequest('other')))).toEqual({ other: 'a' })
  })

  it('end by themselves, so that a crashed drill leaves none behind', () => {
    const waiting = requestAndDecide(drilled(), leaseRequest('drill-1'))
    expect(waiting.nextDecisionAt).not.toBeNull()
    expect(toMs(waiting.nextDecisionAt!)).toBeLessThanOrEqual(toMs(at(10)) + 1)
    const fresh = recordReadings(waiting.state, [usedAccount('a', 0.1, 10)], at(10))
    expect(grantedTo(decide(fresh, at(10)))).toEqual({ 'drill-1': 'a' })
  })

  it('end when they are lifted, and are visible until then', () => {
    const waiting = requestAndDecide(drilled(), leaseRequest('drill-1'))
    expect(poolView(waiting.state).simulatedWalls).toEqual([{ session: 'drill-1', until: at(10) }])
    const lifted = liftWall(waiting.state, 'drill-1')
    expect(poolView(lifted).simulatedWalls).toEqual([])
    expect(grantedTo(decide(lifted, at(1)))).toEqual({ 'drill-1': 'a' })
  })

  it('cause no notice to a person', () => {
    expect(
      poolConditions(requestAndDecide(drilled(), leaseRequest('drill-1')).state, [], at(0)),
    ).toMatchObject({
      dry: null,
      waitlist: [],
    })
  })

  it('are bounded whatever is requested, and old ones are forgotten', () => {
    const long = drilled(at(100_000))
    expect(toMs(long.simulatedWalls![0]!.until)).toBe(toMs(at(0)) + maxSimulatedWall)
    const next = simulateWall(long, { session: 'drill-2', until: at(90) }, at(80))
    expect(next.simulatedWalls).toEqual([{ session: 'drill-2', until: at(90) }])
  })

  it('change nothing for other sessions, over random fleets and uses', () => {
    const used = fc.double({ min: 0, max: 0.9, noNaN: true })
    fc.assert(
      fc.property(
        used,
        used,
        fc.constantFrom('start', 'wall', 'wake'),
        fc.boolean(),
        (a, b, cause, pinned) => {
          const fleet = recordReadings(
            poolState(spec('a'), spec('b')),
            [usedAccount('a', a), usedAccount('b', b)],
            at(0),
          )
          const request = leaseRequest('other', { cause, pinned, prefer: pinned ? 'b' : null })
          const with1 = decide(
            requestLease(
              requestAndDecide(
                simulateWall(fleet, { session: 'drill-1', until: at(9) }, at(0)),
                leaseRequest('drill-1'),
              ).state,
              request,
              at(0),
            ),
            at(0),
          )
          expect(grantedTo(with1)).toEqual(grantedTo(requestAndDecide(fleet, request)))
        },
      ),
    )
  })
})

describe('the drill', () => {
  const observation = (overrides: Partial<DrillObservation>): DrillObservation => ({
    ...{ phase: 'idle', account: 'a', substrate: null, answered: true },
    ...overrides,
  })
  it('fails if a step does less than it requires', () => {
    expect(isReached('up', observation({}))).toBe(true)
    expect(isReached('up', observation({ answered: false }))).toBe(false)
    expect(isReached('fallback', observation({}))).toBe(false)
    expect(isReached('fallback', observation({ account: null, substrate: 's' }))).toBe(true)
    expect(isReached('answer', observation({ account: null, substrate: 's', answered: false }))).toBe(false)
    expect(isReached('answer', observation({ account: null, substrate: 's' }))).toBe(true)
    expect(isReached('fallback', observation({ account: null, substrate: 's', phase: 'rescuing' }))).toBe(
      false,
    )
    expect(isReached('parked', observation({ phase: 'parked', account: null }))).toBe(true)
    expect(isReached('failback', observation({ account: null, substrate: 's' }))).toBe(false)
    expect(isReached('failback', observation({ answered: false }))).toBe(true)
    expect(describeObservation(observation({ phase: 'parked', account: null, answered: false }))).toBe(
      'parked',
    )
  })

  it('names its session after itself', () => {
    expect(drillSessionName('2026-11-24T22:05:06.789Z')).toBe('drill-20261124-220506')
    expect(drillSessionName(new Date().toISOString())).toMatch(namePattern)
  })

  it('tells a person which step failed', () => {
    const step = { startedAt: at(0), ms: 61_000 }
    const notice = drillNotice({
      ...{ id: 'drill/x', session: 'drill-1', startedAt: at(0), endedAt: at(1), ok: false, why: 'it parked' },
      steps: [{ ...step, name: 'falls back', found: 'parked', ok: false }],
    })
    expect(notice).toMatchObject({ key: 'drill/x', kind: 'drill', title: 'the drill failed' })
    expect(notice.text).toContain('FAILED: falls back (parked; 61 s)')
  })
})
