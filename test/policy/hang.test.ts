import { describe, expect, it } from 'vitest'
import { detectHang } from '../../policy/session/hang.js'

const minute = 60_000
const now = 100 * minute
const timing = { hungAfter: 10 * minute }
const well = { now, drawnAt: now, lastActivityAt: now, awakeAt: 0, isStopped: false }

describe('law 6: busy is not frozen', () => {
  it('an agent that draws and writes something is left alone, right up to the limit', () => {
    expect(detectHang(well, timing)).toBeNull()
    const silent = now - timing.hungAfter
    expect(detectHang({ ...well, drawnAt: silent, lastActivityAt: silent }, timing)).toBeNull()
  })

  it('silence, a still screen and a stopped process are told apart', () => {
    const long = now - 11 * minute
    expect(detectHang({ ...well, lastActivityAt: long }, timing)).toBe('hung-request')
    expect(detectHang({ ...well, lastActivityAt: long, drawnAt: long }, timing)).toBe('spinning')
    expect(detectHang({ ...well, lastActivityAt: long, drawnAt: long, isStopped: true }, timing)).toBe(
      'stopped',
    )
    // A person may have stopped the process on purpose a moment ago.
    expect(detectHang({ ...well, isStopped: true }, timing)).toBeNull()
  })

  it('silence counts from when the host woke', () => {
    const asleep = { ...well, drawnAt: now - 90 * minute, lastActivityAt: now - 90 * minute }
    expect(detectHang({ ...asleep, awakeAt: now - minute }, timing)).toBeNull()
    expect(detectHang({ ...asleep, awakeAt: now - 11 * minute }, timing)).toBe('spinning')
  })
})
