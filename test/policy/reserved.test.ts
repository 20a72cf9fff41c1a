/** Whatever is requested and whatever happens, an account that is reserved for the healer is never leased. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { AccountSpec } from '../../policy/account/account.js'
import {
  configure,
  decide,
  newPoolState,
  probeEnded,
  releaseLease,
  requestLease,
  recordLogin,
  recordReadings,
  recordWall,
  withdraw,
  type PoolState,
} from '../../policy/pool/transitions.js'
import { leaseRequest, at, grantedTo, usedAccount, settings, spec, wall } from './builders.js'

const names = ['a', 'b', 'c', 'd', 'medic']
const sessions = ['s', 't', 'u']
const causes = ['start', 'wall', 'near-limit', 'login', 'crash', 'move', 'home', 'wake'] as const

const name = fc.constantFrom(...names)
const session = fc.constantFrom(...sessions)

/** Each account's role is random; only `medic` is always the healer's. */
const fleet = fc
  .uniqueArray(name, { minLength: 1 })
  .chain((chosen) =>
    fc
      .tuple(...chosen.map(() => fc.boolean()))
      .map((own): AccountSpec[] =>
        chosen.map((one, index) =>
          spec(one, { role: own[index] === true || one === 'medic' ? 'reserved' : 'pool' }),
        ),
      ),
  )

/**
 * Anything that can reach a pool, in any order, including a configuration that gives an account to the
 * healer.
 */
const step = fc.oneof(
  fc.record({
    ...{ does: fc.constant('ask' as const), session, prefer: fc.option(name), pinned: fc.boolean() },
    ...{ from: fc.option(name), cause: fc.constantFrom(...causes), id: fc.nat() },
  }),
  fc.record({ does: fc.constant('wall' as const), name }),
  fc.record({ does: fc.constant('read' as const), name, used: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    does: fc.constant('login' as const),
    name,
    login: fc.constantFrom('in' as const, 'out' as const),
  }),
  fc.record({ does: fc.constant('release' as const), session, fault: fc.option(fc.constant('a fault')) }),
  fc.record({ does: fc.constant('end' as const), session }),
  fc.record({ does: fc.constant('configure' as const), fleet }),
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

function take(desk: PoolState, one: Step, minutes: number): PoolState {
  const now = at(minutes)
  switch (one.does) {
    case 'ask': {
      const { prefer, pinned, cause, from } = one
      const requestId = `${one.session}-${one.id}`
      return requestLease(
        desk,
        leaseRequest(one.session, { requestId, prefer, pinned, cause, from, at: now }),
        now,
      )
    }
    case 'wall':
      return recordWall(desk, one.name, wall({ at: now, resetsAt: at(minutes + 7) }), now)
    case 'read':
      return recordReadings(desk, [usedAccount(one.name, one.used, minutes)], now)
    case 'login':
      return recordLogin(desk, one.name, one.login, now, now)
    case 'release':
      return releaseLease(desk, { session: one.session, fence: desk.fence, failure: one.fault }, now)
    case 'end':
      return withdraw(desk, one.session)
    case 'configure':
      return configure(desk, settings(one.fleet))
  }
}

it('law 1: no lease is ever granted on a reserved account, over random fleets and requests', () => {
  let grants = 0
  fc.assert(
    fc.property(fleet, fc.array(step, { minLength: 1, maxLength: 40 }), (specs, steps) => {
      let desk = newPoolState(settings(specs))
      steps.forEach((one, minutes) => {
        desk = take(desk, one, minutes)
        const decision = decide(desk, at(minutes))
        const reserved = desk.accounts
          .filter(({ role }) => role === 'reserved')
          .map((account) => account.name)
        const granted = Object.values(grantedTo(decision))
        grants += granted.length
        for (const account of granted) expect(reserved).not.toContain(account)
        // The healer may probe its own accounts; the pool must not.
        for (const account of decision.probes) expect(reserved).not.toContain(account)
        desk = decision.state
        for (const account of decision.probes) desk = probeEnded(desk, account, null, at(minutes))
      })
    }),
    { numRuns: 400 },
  )
  // A property over fleets that grant nothing would prove nothing.
  expect(grants).toBeGreaterThan(100)
})
