import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration, parseShare } from '../../config/schema/units.js'
import { nearest } from '../../config/validate/nearest.js'

describe('durations', () => {
  it('are parsed back to the same milliseconds after formatting', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999 }),
        fc.constantFrom('s', 'm', 'h', 'd'),
        (count, unit) => {
          const ms = parseDuration(`${count}${unit}`)
          expect(ms).not.toBeNull()
          expect(parseDuration(formatDuration(ms!))).toBe(ms)
        },
      ),
    )
  })

  it.each([
    ['5s', 5_000],
    ['10m', 600_000],
    ['3h', 10_800_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('%s is %i ms', (written, ms) => {
    expect(parseDuration(written)).toBe(ms)
  })

  it.each(['', '5', 's', '5 s', '-5s', '1.5h', '5S', '5ms', '1h30m', '9999999s', '5s\n', '٥s'])(
    '%j is not a duration',
    (written) => {
      expect(parseDuration(written)).toBeNull()
    },
  )

  it('are not formatted if they could not be parsed back', () => {
    for (const ms of [1, 1_500, -1_000, Number.NaN, Infinity])
      expect(() => formatDuration(ms)).toThrow(RangeError)
  })
})

describe('shares', () => {
  it('are read with four decimals', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (tenThousandths) => {
        const share = parseShare(`${tenThousandths / 10_000}%`)
        expect(share).toBeCloseTo(tenThousandths / 1_000_000, 10)
      }),
    )
  })

  it.each([
    ['0%', 0],
    ['80%', 0.8],
    ['95.5%', 0.955],
    ['100%', 1],
  ])('%s is %d', (written, share) => {
    expect(parseShare(written)).toBe(share)
  })

  it.each(['', '80', '0.8', '101%', '100.1%', '-5%', ' 80%', '80 %', '080%'])(
    '%j is not a share',
    (written) => {
      expect(parseShare(written)).toBeNull()
    },
  )
})

describe('did you mean', () => {
  const keys = ['accounts', 'moveAt', 'name', 'pool']

  it.each([
    ['moveat', 'moveAt'],
    ['acounts', 'accounts'],
    ['acconuts', 'accounts'],
    ['nmae', 'name'],
    ['poool', 'pool'],
  ])('%s -> %s', (typed, meant) => {
    expect(nearest(typed, keys)).toBe(meant)
  })

  it('suggests nothing if nothing is similar', () => {
    expect(nearest('substrates', keys)).toBeNull()
    expect(nearest('', [])).toBeNull()
  })
})
