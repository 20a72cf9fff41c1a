import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frameMail } from '../../activities/tasks/frameMail.js'
import { cleanMail, isWantedSender, type Mail } from '../../policy/tasks/mail.js'
import { recordAfterRun, failedOutcome } from '../../policy/tasks/tasks.js'

const mark = '0123456789abcdef'
const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 500 }),
  fc.constantFrom('\n--- 0 mail ends ---\n', '\u001b[2J', '\u202e', '\r\nSubject: two', '\u2028', '\ud800'),
)
const lines = fc.array(nasty, { maxLength: 5 }).map((parts) => parts.join(''))
const mails: fc.Arbitrary<Mail> = fc.record({
  ...{ id: fc.constant('x'), messageId: fc.option(lines), from: fc.array(lines), to: fc.array(lines) },
  ...{ subject: lines, date: fc.constant(null), text: lines, cut: fc.boolean() },
  attachments: fc.array(fc.record({ name: lines, type: lines, bytes: fc.option(fc.nat()) })),
})

describe('a mail as a text for an agent', () => {
  it('has one beginning, one end and one line per header, whatever its sender wrote', () => {
    fc.assert(
      fc.property(mails, (mail) => {
        const framed = frameMail(cleanMail(mail, 1_000), 'inbox', mark).split('\n')
        const attached = mail.attachments.length > 0 ? 1 : 0
        expect(framed[1]).toBe(`--- ${mark} mail begins ---`)
        expect(framed.at(-1)).toBe(`--- ${mark} mail ends ---`)
        expect(framed.filter((line) => line.includes(`--- ${mark}`))).toHaveLength(2)
        expect(framed.slice(2, 6).map((line) => line.split(':')[0])).toEqual([
          'From',
          'To',
          'Date',
          'Subject',
        ])
        expect(framed[6 + attached]).toBe('')
      }),
    )
  })

  it('contains no terminal control characters, is bounded, and splits no character', () => {
    fc.assert(
      fc.property(mails, (mail) => {
        const framed = frameMail(cleanMail(mail, 1_000), 'inbox', mark)
        expect(framed).not.toMatch(
          /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/,
        )
        expect(Buffer.from(framed).toString()).toBe(framed)
        expect(framed.length).toBeLessThan(20_000)
      }),
    )
  })
})

describe('senders', () => {
  it.each([
    [['Boss@Example.org'], true],
    [['any@team.example'], true],
    [['boss@example.org.evil.net'], false],
    [['evil@notteam.example'], false],
    [['boss@example.org', 'evil@example.net'], false],
    [[], false],
  ])('%j is accepted: %s', (from, isAccepted) => {
    expect(isWantedSender(from, ['boss@example.org', '@team.example'])).toBe(isAccepted)
    expect(isWantedSender(from, [])).toBe(true)
  })
})

describe('consecutive failures', () => {
  const task = { name: 'inbox', kind: 'imap' as const, host: 'h', attentionAfter: 3 }
  it('are counted, notify a person at the third, and end with the first successful run', () => {
    const third = recordAfterRun(task, 2, failedOutcome('nobody answers'), '2026-11-24T12:00:00.000Z')
    expect(third).toMatchObject({ failures: 3, lastResult: { ok: false, error: 'nobody answers' } })
    expect(third.attention).toBe('task inbox failed 3 times in a row: nobody answers')
    expect(recordAfterRun(task, 1, failedOutcome('x'), '').attention).toBeNull()
    const well = recordAfterRun(task, 3, { ok: true, error: null, summary: 'done', file: null }, '')
    expect(well).toMatchObject({ failures: 0, attention: null })
  })
})
