import { expect, it } from 'vitest'
import { queuesOf, wouldHelpMost } from '../../policy/outlook.js'
import { takeLogin, takeReadings, takeWall, viewOfPool, type PoolDesk } from '../../policy/poolDesk.js'
import { asks, at, desk, known, served, spec, wall } from './make.js'

const waits = (before: PoolDesk, ...sessions: string[]): PoolDesk =>
  sessions.reduce((state, session) => served(state, asks(session, { cause: 'wall' })).desk, before)

const walled = (): PoolDesk =>
  takeWall(
    takeReadings(desk(spec('a'), spec('b')), [known('a', 0.5), known('b', 0.5)], at(0)),
    'a',
    wall(),
    at(0),
  )

it('those who wait for the same are one line, with the next chance', () => {
  const state = waits(takeWall(walled(), 'b', wall({ resetsAt: at(30) }), at(0)), 's', 't')
  const pinned = served(state, asks('u', { prefer: 'a', pinned: true, cause: 'wall' })).desk
  expect(queuesOf(viewOfPool(pinned))).toEqual([
    { why: 'a walled until 13:00, b walled until 12:30', retryAt: at(30 + 1 / 6), sessions: ['s', 't'] },
    { why: 'a walled until 13:00', retryAt: at(60 + 1 / 6), sessions: ['u'] },
  ])
})

it('says what would help most: a login before a ceiling before a substrate', () => {
  expect(wouldHelpMost(viewOfPool(walled()))).toBeNull()
  const out = waits(takeLogin(walled(), 'b', 'out', at(1), at(1)), 's')
  expect(wouldHelpMost(viewOfPool(out))).toBe('log in again on b')
  const dry = waits(takeWall(walled(), 'b', wall(), at(0)), 's')
  expect(wouldHelpMost(viewOfPool(dry))).toMatch(/^a substrate/)
})
