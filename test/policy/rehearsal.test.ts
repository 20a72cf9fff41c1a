/** What is done about a version of an agent program that was never rehearsed, and what a person hears of one that was. */
import { describe, expect, it } from 'vitest'
import { describeEvent, levelOf } from '../../config/events/describe.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import { rehearsalModes, rehearsalStep } from '../../policy/rehearsal.js'
import { rehearsalNotice } from '../../worker/hostReport/rehearsalNotice.js'

const unknown = { isRehearsed: false, hasFailed: false }

describe('a version that was never rehearsed', () => {
  it('is rehearsed, left to a person, or ignored, as the configuration says', () => {
    expect(rehearsalModes.map((mode) => rehearsalStep(mode, unknown))).toEqual(['rehearse', 'ask', null])
  })

  it('is left to a person if its rehearsal has failed: another one would cost as much', () => {
    const failed = { ...unknown, hasFailed: true }
    expect(rehearsalModes.map((mode) => rehearsalStep(mode, failed))).toEqual(['ask', 'ask', null])
  })

  it('is nothing to do about once it was', () => {
    const rehearsed = { ...unknown, isRehearsed: true }
    expect(rehearsalModes.map((mode) => rehearsalStep(mode, rehearsed))).toEqual([null, null, null])
  })
})

const common = { v: 1, id: 'agent-rehearsed/1', at: '2026-11-22T20:00:00.000Z', host: 'here' } as const
const rehearsed = (
  missed: { name: string; isEssential: boolean }[],
  off: Extract<OutpoolEvent, { kind: 'agent-rehearsed' }>['off'] = [],
): OutpoolEvent => ({
  ...{ ...common, kind: 'agent-rehearsed', agent: 'claude-code', version: '9.9.9', ms: 61_000 },
  ...{ expectations: 60, missed, off, consequence: missed.length === 0 ? null : 'sessions would be parked' },
})
const essential = { name: 'resume-after-copy', isEssential: true }
const minor = { name: 'hook-stop', isEssential: false }

describe('law 14: a version that was rehearsed in the background', () => {
  it('law 14: is an event, as serious as what did not hold', () => {
    const all = [rehearsed([]), rehearsed([minor]), rehearsed([minor, essential])]
    expect(all.map((event) => levelOf(event))).toEqual(['info', 'warn', 'error'])
    const lines = all.map((event) => describeEvent(event, new Date(common.at)))
    expect(lines[0]).toContain('claude-code 9.9.9: held all 60 expectations')
    expect(lines[2]).toContain('fell short: hook-stop, resume-after-copy; sessions would be parked')
  })

  it('law 14: is a notice, once for each host and version, only if something essential did not hold', () => {
    expect(rehearsalNotice(rehearsed([]), 'here')).toBeNull()
    expect(rehearsalNotice(rehearsed([minor]), 'here')).toBeNull()
    const notice = rehearsalNotice(rehearsed([minor, essential]), 'here')
    expect(notice).toMatchObject({ key: 'rehearsal/here/claude-code/9.9.9', kind: 'rehearsal' })
    expect(notice?.text).toContain('resume-after-copy')
    expect(notice?.text).not.toContain('hook-stop')
    expect(notice?.text).toContain('sessions would be parked')
  })

  it('law 14: says what is switched off because of it', () => {
    const event = rehearsed([essential], ['moves'])
    const words = 'sessions are not moved: at a wall each waits for its account'
    expect(describeEvent(event, new Date(common.at))).toContain(`fell short: resume-after-copy; ${words}`)
    expect(rehearsalNotice(event, 'here')?.text).toContain(words)
  })
})
