import { expect, it } from 'vitest'
import { OpenNeeds, needWords } from '../../config/events/openNeeds.js'
import { type EventDraft, eventSchema, eventVersion } from '../../config/events/schema.js'

const minute = (n: number): string => new Date(Date.UTC(2026, 10, 22, 12, n)).toISOString()

/** What is open after these events, each a minute after the one before. */
function openAfter(...drafts: object[]) {
  const needs = new OpenNeeds()
  drafts.forEach((draft, n) => {
    const event = {
      id: `e${n}`,
      at: minute(n),
      host: 'h',
      v: eventVersion,
      ...draft,
    } as unknown as EventDraft
    const parsed = eventSchema.parse(event)
    expect(needWords.some((word) => JSON.stringify(parsed).includes(word))).toBe(true)
    needs.note(parsed)
  })
  return [
    ...needs.sessions.map(({ session, need, since }) => [session, need, since]),
    ...needs.loggedOut.map(({ account, since }) => [account, 'login', since]),
  ]
}

const session = 'docs'
const waits = (reason: string) => ({ kind: 'session-waiting', session, reason })
const parked = (until: string | null) => ({
  ...{ kind: 'session-parked', session, from: 'a', cause: 'wall', wall: null, until, why: 'a is walled' },
})
const crashed = {
  kind: 'session-crashed',
  session,
  account: 'a',
  how: 'it ended',
  crashes: 3,
  retryAt: minute(60),
}

it('law 14: what waits for a person is open from its event to the one that ends it', () => {
  expect(openAfter(waits('permission'))).toEqual([['docs', 'permission', minute(0)]])
  expect(openAfter(waits('question'), { kind: 'session-attended', session, waitedMs: 1 })).toEqual([])
  expect(openAfter(waits('context'), { kind: 'session-stopped', session, why: 'by a person' })).toEqual([])
  expect(openAfter(waits('context'), { kind: 'session-released', session })).toEqual([])
  expect(openAfter(parked(null))).toEqual([['docs', 'breaker', minute(0)]])
  expect(openAfter(crashed)).toEqual([['docs', 'down', minute(0)]])
  const woken = { kind: 'session-woken', session, to: 'b', parkedMs: 1 }
  expect(openAfter(parked(null), woken)).toEqual([])
  // A wait for a reset ends by itself.
  expect(openAfter(crashed, parked(minute(60)))).toEqual([])
  const out = { kind: 'account-logged-out', account: 'medic' }
  expect(openAfter(out)).toEqual([['medic', 'login', minute(0)]])
  expect(openAfter(out, { kind: 'account-logged-in', account: 'medic' })).toEqual([])
})
