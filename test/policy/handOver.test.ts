import fc from 'fast-check'
import { expect, it } from 'vitest'
import { handOver, handOverMark, type ForkReport } from '../../activities/session/handOverText.js'

const report = (overrides: Partial<ForkReport> = {}): ForkReport => ({
  fork: 'f1',
  transcript: '/substrates/key/f1.jsonl',
  turns: [{ asked: 'Tidy the garden', answered: 'Tidied.' }],
  files: ['/work/garden.md'],
  ...overrides,
})

it('names what was asked, what was answered, which files changed, and the path of the transcript', () => {
  const { message, full } = handOver(
    [report(), report({ fork: 'f2', turns: [{ asked: 'And?', answered: null }] })],
    '/w',
  )!
  expect(full).toBeNull()
  for (const part of [
    handOverMark('f1'),
    'Tidy the garden',
    'Tidied.',
    '/work/garden.md',
    '/substrates/key/f1.jsonl',
  ])
    expect(message).toContain(part)
  expect(message).toContain(handOverMark('f2'))
  expect(message).toContain('Not answered.')
})

it('is empty if no fork did anything', () => {
  expect(handOver([], '/w')).toBeNull()
})

it('law 5: is bounded however much was done, names every fork, and the file holds what the message leaves out', () => {
  const text = fc.string({ maxLength: 60 }).map((some) => `${some}.`.repeat(60))
  const turns = fc.array(fc.record({ asked: text, answered: fc.option(text) }), { maxLength: 40 })
  const files = fc.array(fc.string({ maxLength: 40 }), { maxLength: 80 })
  fc.assert(
    fc.property(fc.array(fc.record({ turns, files }), { minLength: 1, maxLength: 5 }), (all) => {
      const reports = all.map((one, n) =>
        report({ ...one, fork: `fork-${n}`, transcript: `/t/fork-${n}.jsonl` }),
      )
      const { message, full } = handOver(reports, '/hand-over/forks.md')!
      expect(message.length).toBeLessThanOrEqual(8_000)
      for (const { fork, transcript } of reports) {
        expect(message).toContain(handOverMark(fork))
        expect(message).toContain(transcript)
      }
      for (const one of reports.flatMap((each) => each.turns))
        expect((full ?? message).includes(one.asked ?? '')).toBe(true)
      if (full !== null) expect(message).toContain('/hand-over/forks.md')
    }),
    { numRuns: 60 },
  )
})
