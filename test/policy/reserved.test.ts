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
  recordReadings,
  withdraw,
  type PoolState,
} from '../../policy/pool/transitions.js'
import {
  at,
  grantedTo,
  leaseRequest,
  recordLogin,
  recordWall,
  settings,
  spec,
  usedAccount,
  wall,
} from './builders.js'

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
        chosen.map((name, index) =>
          spec(name, { role: own[index] === true || name === 'medic' ? 'reserved' : 'pool' }),
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

function applyStep(state: PoolState, step: Step, minutes: number): PoolState {
  const now = at(minutes)
  switch (step.does) {
    case 'ask': {
      const { prefer, pinned, cause, from } = step
      const requestId = `${step.session}-${step.id}`
      return requestLease(
        state,
        leaseRequest(step.session, { requestId, prefer, pinned, cause, from, at: now }),
        now,
      )
    }
    case 'wall':
      return recordWall(state, step.name, wall({ at: now, resetsAt: at(minutes + 7) }), now)
    case 'read':
      return recordReadings(state, [usedAccount(step.name, step.used, minutes)], now)
    case 'login':
      return recordLogin(state, step.name, step.login, now, now)
    case 'release':
      return releaseLease(state, { session: step.session, fence: state.fence, failure: step.fault }, now)
    case 'end':
      return withdraw(state, step.session)
    case 'configure':
      return configure(state, settings(step.fleet))
  }
}

it('law 1: no lease is ever granted on a reserved account, over random fleets and requests', () => {
  let grants = 0
  fc.assert(
    fc.property(fleet, fc.array(step, { minLength: 1, maxLength: 40 }), (specs, steps) => {
      let state = newPoolState(settings(specs))
      steps.forEach((step, minutes) => {
        state = applyStep(state, step, minutes)
        const decision = decide(state, at(minutes))
        const reserved = state.accounts
          .filter(({ role }) => role === 'reserved')
          .map((account) => account.name)
        const granted = Object.values(grantedTo(decision))
        grants += granted.length
        for (const account of granted) expect(reserved).not.toContain(account)
        // The healer may probe its own accounts; the pool must not.
        for (const account of decision.probes) expect(reserved).not.toContain(account)
        state = decision.state
        for (const account of decision.probes) state = probeEnded(state, account, null, at(minutes))
      })
    }),
    { numRuns: 400 },
  )
  // A property over fleets that grant nothing would prove nothing.
  expect(grants).toBeGreaterThan(100)
})
