import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  envelope,
  openEnvelope,
  readable,
  readableText,
  unprovenCause,
  unprovenMark,
} from '../../policy/envelope.js'

describe('law 15: the envelope of a message', () => {
  it('law 15: gives its arguments to the use and the workflow that it was made for', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.string(), (args, to) => {
        expect(openEnvelope(envelope('signal send', to, args), 'signal send', to)).toEqual({
          args,
          refused: null,
        })
      }),
    )
  })

  it('law 15: is refused for every other use and workflow', () => {
    const sealed = envelope('signal send', 'session/a', ['x'])
    const misused = { args: null, refused: 'misused' }
    expect(openEnvelope(sealed, 'signal stop', 'session/a')).toEqual(misused)
    expect(openEnvelope(sealed, 'update send', 'session/a')).toEqual(misused)
    expect(openEnvelope(sealed, 'signal send', 'session/b')).toEqual(misused)
    expect(openEnvelope(sealed, 'signal send', 'session/a-2026')).toEqual(misused)
  })

  it('law 15: of a schedule is accepted by the runs of that schedule only', () => {
    const [made] = envelope('start loop', 'loop/inbox', [])
    const open = (to: string) => openEnvelope([{ ...made, scheduled: true }], 'start loop', to)
    expect(open('loop/inbox-2026-01-01T00:00:00Z').args).toEqual([])
    expect(open('loop/inbox').args).toBeNull()
    expect(open('loop/inbox2-2026-01-01T00:00:00Z').args).toBeNull()
  })

  it('law 15: nothing else passes for one: no argument, an argument without envelope, or a mark anywhere', () => {
    const open = (...args: unknown[]) => openEnvelope(args, 'signal send', 'session/a').refused
    expect(open()).toBe('unsealed')
    expect(open(unprovenMark('unsealed'))).toBe('unsealed')
    expect(open(unprovenMark('unknown key'))).toBe('unknown key')
    expect(open(...envelope('signal send', 'session/a', []), unprovenMark('unsealed'))).toBe('unsealed')
    for (const value of [null, 'text', 7, [], {}, { use: 'signal send', to: 'session/a', args: 'no list' }])
      expect(open(value)).toBe('misused')
  })

  it('law 15: marks are told from values that only resemble them', () => {
    const mark = unprovenMark('unsealed')
    expect(unprovenCause({ ...mark, more: 1 })).toBeNull()
    expect(unprovenCause([mark])).toBeNull()
    expect(readableText(readable('watch'))).toBe('watch')
    expect(readableText('watch')).toBeNull()
    expect(readableText({ outpoolReadable: 7 })).toBeNull()
  })
})
