import { it } from 'vitest'
import { drain, seedsOf } from './drain.js'

it('laws 2, 4, 10: fourteen days of walls, resets and lost logins, part 1 of 2', { timeout: 600_000 }, () => {
  drain(seedsOf(0, 2))
})
