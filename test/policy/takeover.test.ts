/** Which running `outpool up` another one may replace. */
import { expect, it } from 'vitest'
import { takeover } from '../../policy/takeover.js'

const running = (version: string | null, isService = false) => ({ version, isService })

it('a newer version takes over by itself, an equal one if it is asked to, an older one never', () => {
  expect(takeover(running('0.9.0'), '0.10.0', false)).toBe('take-over')
  expect(takeover(running('0.10.0'), '0.10.0', false)).toBe('held')
  expect(takeover(running('0.10.0'), '0.10.0', true)).toBe('take-over')
  expect(takeover(running('0.10.1'), '0.10.0', false)).toBe('held')
  expect(takeover(running('0.10.1'), '0.10.0', true)).toBe('newer')
  expect(takeover(running(null), '0.1.0', false)).toBe('take-over')
})

it('a service is left to its manager, which would start it again', () => {
  expect(takeover(running('0.9.0', true), '0.10.0', false)).toBe('service')
  expect(takeover(running('0.10.0', true), '0.10.0', true)).toBe('service')
  expect(takeover(running('0.10.0', true), '0.10.0', false)).toBe('held')
  expect(takeover(running('0.10.1', true), '0.10.0', true)).toBe('newer')
})
