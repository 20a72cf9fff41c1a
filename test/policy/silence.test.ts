import { describe, expect, it } from 'vitest'
import { toMs } from '../../policy/instants.js'
import { type Phase, phases } from '../../policy/session/session.js'
import { silenceOf } from '../../policy/session/silence.js'
import { at } from './builders.js'

const session = (phase: Phase, startedAt = at(-60)) => ({ phase, startedAt })
const seconds = (count: number): number => toMs(at(0)) + count * 1_000

describe('law 14: a session whose host is silent', () => {
  it('is shown so after 30 s, and needs a person after a minute', () => {
    const shown = (after: number) => silenceOf(session('working'), toMs(at(0)), seconds(after))
    expect(shown(30)).toBeNull()
    expect(shown(31)).toEqual({ since: at(0), needsPerson: false })
    expect(shown(60)).toEqual({ since: at(0), needsPerson: false })
    expect(shown(61)).toEqual({ since: at(0), needsPerson: true })
  })

  it('counts from its start if its host was never heard of', () => {
    const shown = (after: number) => silenceOf(session('starting', at(0)), null, seconds(after))
    expect(shown(20)).toBeNull()
    expect(shown(45)).toEqual({ since: null, needsPerson: false })
    expect(shown(90)).toEqual({ since: null, needsPerson: true })
  })

  it('is missed in every phase in which something depends on its host', () => {
    const missed = phases.filter((phase) => silenceOf(session(phase), toMs(at(0)), seconds(90)) !== null)
    expect(missed).toEqual(phases.filter((phase) => phase !== 'paused' && phase !== 'stopped'))
  })
})
