/** The state with which a session is started again is its own. */
import { expect, it } from 'vitest'
import { unprovenMark } from '../../policy/envelope.js'
import { checkCarriedOver } from '../../worker/restoration/carriedOver.js'

it.each<[string, unknown]>([
  ['an answer that was not sealed', unprovenMark('unsealed')],
  ['a captured message', { use: 'start session', to: 'session/a', args: [{ state: { name: 'a' } }] }],
  ['the state of another session', { state: { name: 'b', phase: 'parked' } }],
  ['no state', { state: null }],
  ['nothing', undefined],
])('law 15: %s is not taken for the state of a session', (_, answer) => {
  expect(checkCarriedOver('session/a', answer)).toBeNull()
})

it('law 5: the state of the session, the pool and a watchdog is', () => {
  const state = { name: 'a', phase: 'parked' }
  expect(checkCarriedOver('session/a', { state })).toEqual({ state })
  expect(checkCarriedOver('pool/main', { state: { pool: {} } })).toEqual({ state: { pool: {} } })
})
