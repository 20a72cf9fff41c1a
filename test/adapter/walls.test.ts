/** Which failures of a turn count as walls, and until when they last. Recorded walls are in wallTable.test.ts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import { parseReset } from '../../agents/claude-code/limits/resetText.js'
import { answer, at, testTranscripts } from './transcripts.js'

const { file } = testTranscripts()

describe('the reset that a text names', () => {
  const rows: [string, string, string, string | null][] = [
    ['later today', 'resets 9:50pm (UTC)', '2026-11-22T15:00:00Z', '2026-11-22T21:50:00.000Z'],
    ['tomorrow, not today', 'resets 1am (UTC)', '2026-11-22T23:10:00Z', '2026-11-23T01:00:00.000Z'],
    ['noon', 'resets 12pm (UTC)', '2026-11-22T03:00:00Z', '2026-11-22T12:00:00.000Z'],
    ['midnight', 'resets 12am (UTC)', '2026-11-22T03:00:00Z', '2026-11-23T00:00:00.000Z'],
    ['within this minute', 'resets 3:00am (UTC)', '2026-11-22T03:00:42Z', '2026-11-22T03:00:00.000Z'],
    [
      'two minutes ago means tomorrow',
      'resets 2:58am (UTC)',
      '2026-11-22T03:00:00Z',
      '2026-11-23T02:58:00.000Z',
    ],
    ['a date', 'resets Nov 24, 3:53am (UTC)', '2026-11-22T03:00:00Z', '2026-11-24T03:53:00.000Z'],
    [
      'a date over the year’s end',
      'resets Jan 2, 10pm (UTC)',
      '2026-12-29T03:00:00Z',
      '2027-01-02T22:00:00.000Z',
    ],
    [
      'a zone west of us, its own today',
      'resets 9pm (America/New_York)',
      '2026-11-22T03:00:00Z',
      '2026-11-23T02:00:00.000Z',
    ],
    [
      'a zone whose day is another one',
      'resets 1am (Asia/Tokyo)',
      '2026-11-22T15:30:00Z',
      '2026-11-22T16:00:00.000Z',
    ],
    [
      'clocks set back: the later of two',
      'resets 2:30am (Europe/Berlin)',
      '2026-10-24T22:00:00Z',
      '2026-10-25T01:30:00.000Z',
    ],
    [
      'clocks set forward: the skipped time moves on',
      'resets 2:30am (Europe/Berlin)',
      '2026-03-28T22:00:00Z',
      '2026-03-29T01:30:00.000Z',
    ],
    [
      'after clocks were set back',
      'resets Oct 26, 9am (Europe/Berlin)',
      '2026-10-24T12:00:00Z',
      '2026-10-26T08:00:00.000Z',
    ],
    ['24 hours', 'resets 21:50 (UTC)', '2026-11-22T03:00:00Z', '2026-11-22T21:50:00.000Z'],
    [
      '24 hours, a date',
      'resets Nov 24, 15:53 (Europe/Berlin)',
      '2026-11-22T03:00:00Z',
      '2026-11-24T14:53:00.000Z',
    ],
    ['24 hours, on the hour', 'resets Nov 24, 15 (UTC)', '2026-11-22T03:00:00Z', '2026-11-24T15:00:00.000Z'],
    ['24 hours, midnight', 'resets 00:05 (UTC)', '2026-11-22T23:00:00Z', '2026-11-23T00:05:00.000Z'],
    ['midnight as some show it', 'resets 24:05 (UTC)', '2026-11-22T23:00:00Z', '2026-11-23T00:05:00.000Z'],
    ['an hour that is none', 'resets 25:05 (UTC)', '2026-11-22T23:00:00Z', null],
    ['an hour that is none with a half', 'resets 13:05pm (UTC)', '2026-11-22T23:00:00Z', null],
    ['no zone: the instant is unknown', 'resets 9pm', '2026-11-22T03:00:00Z', null],
    ['a zone that is none', 'resets 9pm (Mars/Olympus)', '2026-11-22T03:00:00Z', null],
    ['a day that is none', 'resets Feb 30, 9pm (UTC)', '2026-02-22T03:00:00Z', null],
    ['no reset', "You've hit your limit", '2026-11-22T03:00:00Z', null],
  ]
  it.each(rows)('%s: %s', (_, text, written, expected) => {
    expect(parseReset(`You've hit your session limit · ${text}`, written)).toBe(expected)
  })

  it('is the intended instant, for any instant of the coming day, in any zone', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    ]
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2026, 0, 1) / 60_000, max: Date.UTC(2028, 0, 1) / 60_000 }),
        fc.integer({ min: 1, max: 22 * 60 }),
        fc.constantFrom(...zones),
        fc.constantFrom('h12', 'h23', 'h24'),
        (writtenMinute, ahead, timeZone, hourCycle) => {
          const meant = (writtenMinute + ahead) * 60_000
          const shown = new Intl.DateTimeFormat('en-US', {
            timeZone,
            hourCycle,
            hour: 'numeric',
            minute: '2-digit',
          })
            .format(meant)
            .replace(/\s/g, '')
            .toLowerCase()
          const read = parseReset(
            `resets ${shown} (${timeZone})`,
            new Date(writtenMinute * 60_000).toISOString(),
          )
          const late = Date.parse(read ?? '') - meant
          // When clocks are set back a reading means two instants, and the later one is used.
          expect([0, 30 * 60_000, 60 * 60_000]).toContain(late)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a failed turn', () => {
  it('law 6: a text about a limit proves nothing if the version names its errors', async () => {
    const refused = (more: object): string =>
      answer('', {
        isApiErrorMessage: true,
        error: 'rate_limit',
        apiErrorStatus: 429,
        message: { model: '<synthetic>', content: [{ type: 'text', text: "You've hit your weekly limit" }] },
        ...more,
      })
    const classOf = async (entry: string): Promise<string | null> => {
      const { last } = await claudeCode.readTail(file(entry), 0)
      return last?.kind === 'failure' ? last.failure.class : null
    }
    expect(await classOf(refused({ apiErrorType: 'rate_limit_error' }))).toBe('transient')
    expect(await classOf(refused({ quotaLimits: { status: 'allowed' } }))).toBe('transient')
    expect(await classOf(refused({ apiErrorStatus: 529 }))).toBe('transient')
    expect(await classOf(refused({}))).toBe('wall')
    expect(await classOf(refused({ message: { model: 'm', content: [] } }))).toBeNull()
  })

  it.each([
    ['seven_day_opus', 'model:opus'],
    ['seven_day_sonnet', 'model:sonnet'],
    ['seven_day_overage_included', 'model:fable'],
    ['seven_day_mythos', 'model:mythos'],
    ['seven_day', 'account'],
    ['overage', 'account'],
    ['something_new', 'account'],
  ])('law 4: a wall of the claim %s is one of %s, also of an unknown model', async (claim, scope) => {
    const entry = answer('You have hit your limit', {
      ...{
        isApiErrorMessage: true,
        error: 'rate_limit',
        apiErrorStatus: 429,
        apiError: 'usage_limit_reached',
      },
      quotaLimits: { status: 'rejected', resetsAt: 1795297961, rateLimitType: claim },
      message: { model: '<synthetic>', content: [{ type: 'text', text: 'You have hit your limit' }] },
    })
    expect((await claudeCode.readTail(file(entry), 0)).last).toMatchObject({
      failure: { class: 'wall', wall: { kind: claim, scope } },
    })
  })

  it('law 15: an error of three megabytes, in its text and in each of its fields, is read as a short one', async () => {
    const long = 'x'.repeat(3_000_000)
    const written = {
      ...{
        type: 'assistant',
        isApiErrorMessage: true,
        timestamp: at,
        error: 'rate_limit',
        apiErrorStatus: 429,
      },
      message: { model: '<synthetic>', content: [{ type: 'text', text: long }] },
    }
    const quotaLimits = { status: 'rejected', rateLimitType: `seven_day_${long}` }
    for (const entry of [
      { ...written, error: long, apiErrorStatus: 500 },
      { ...written, quotaLimits },
      { ...written, apiError: 'usage_limit_reached', apiErrorType: long },
    ]) {
      const { last } = await claudeCode.readTail(file(`${JSON.stringify(entry)}\n`), 0)
      expect(last?.kind).toBe('failure')
      expect(JSON.stringify(last).length).toBeLessThan(5_000)
    }
  })

  it('law 6: a failure counts only until the next answer', async () => {
    const failure = answer('API Error: 529', {
      isApiErrorMessage: true,
      error: 'server_error',
      message: { model: '<synthetic>', content: [{ type: 'text', text: 'API Error: 529 Overloaded' }] },
    })
    expect((await claudeCode.readTail(file(failure), 0)).last).toMatchObject({
      kind: 'failure',
      failure: { class: 'transient' },
    })
    expect((await claudeCode.readTail(file(failure, answer('well again')), 0)).last).toEqual({
      kind: 'answer',
      at,
    })
  })
})
