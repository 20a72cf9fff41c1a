/**
 * Tests that run by night only. They are dear, and what they defend is defended by another test of `npm test` as well:
 * docs/decisions/0012-test-tiers.md says where.
 */
import { describe, it } from 'vitest'

export const isNight = process.env['OUTPOOL_NIGHTLY'] !== undefined
export const byNight = it.runIf(isNight)
export const describeByNight = describe.runIf(isNight)
