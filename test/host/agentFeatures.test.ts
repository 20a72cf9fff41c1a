/** What a host switches off for an agent program, by what was found out about the installed version. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Home, openHome } from '../../config/state/home.js'
import { writeVerdict } from '../../config/state/rehearsals.js'
import { AgentFeatures } from '../../host/state/agentFeatures.js'
import { verdictOf } from '../../lab/verdicts.js'
import { Checks } from '../../rehearsal/checks.js'
import { expectations } from '../../agents/claude-code/expectations.js'

let home: Home
let installed: string
let timesAsked: number
let features: AgentFeatures

beforeEach(() => {
  home = openHome({ OUTPOOL_HOME: mkdtempSync(join(tmpdir(), 'outpool-features-')) })
  installed = '1.0.0'
  timesAsked = 0
  features = new AgentFeatures(home, () => {
    timesAsked += 1
    return Promise.resolve(installed)
  })
})
afterEach(() => rmSync(home.dir, { recursive: true }))

describe('the features of an agent program', () => {
  it('are all on without a verdict that says otherwise, and the program is not even asked for its version', async () => {
    expect(await features.review('claude-code')).toEqual([])
    writeVerdict(home, verdictOf('1.0.0', ['hook-stop']))
    expect(await features.review('claude-code')).toEqual([])
    expect(timesAsked).toBe(0)
  })

  it('are off as the verdict on the installed version says, from the next review on', async () => {
    writeVerdict(home, verdictOf('1.0.0', ['stash-key']))
    expect(features.isOff('claude-code', 'stash')).toBe(false)
    expect(await features.review('claude-code')).toEqual([{ feature: 'stash', missed: ['stash-key'] }])
    expect(features.isOff('claude-code', 'stash')).toBe(true)
    expect(features.isOff('claude-code', 'moves')).toBe(false)
    expect(features.isOff('another', 'stash')).toBe(false)
    installed = '1.0.1'
    await features.review('claude-code')
    expect(features.off('claude-code')).toEqual([])
    writeVerdict(home, verdictOf('1.0.1', ['resume-after-copy']))
    await features.review('claude-code')
    expect(features.isOff('claude-code', 'moves')).toBe(true)
  })
})

describe('a rehearsal that was tried twice', () => {
  it('counts what held in one of the tries, and keeps the reason of the second otherwise', async () => {
    const broken = (why: string) => () => Promise.reject(new Error(why))
    const [first, second] = [new Checks(), new Checks()]
    await first.holds('stash-key', broken('too slow'))
    await first.holds('fork', broken('the first time'))
    await first.holds('hook-stop', () => undefined)
    expect(first.haveHeld(['hook-stop'])).toBe(true)
    expect(first.haveHeld(['hook-stop', 'fork'])).toBe(false)
    await second.holds('stash-key', () => undefined)
    await second.holds('fork', broken('the second time'))
    second.leaveUnchecked(['hook-stop'], 'something before it failed')
    first.add(second)
    expect(first.results(expectations).map(({ name, outcome, why }) => [name, outcome, why])).toEqual([
      ['fork', 'broken', 'the second time'],
      ['hook-stop', 'held', null],
      ['stash-key', 'held', null],
    ])
  })
})
