import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeEvent, levelOf } from '../../config/events/describe.js'
import { eventsPage } from '../../config/events/page.js'
import { eventKinds, eventSchema, type OutpoolEvent } from '../../config/events/schema.js'
import { formatLocalClock } from '../../config/localClock.js'

const now = new Date('2026-11-22T20:00:00.000Z')
const resetsAt = '2026-11-22T21:50:00.000Z'
const common = { v: 1, id: 'session/docs/run/1', at: now.toISOString(), host: 'here' } as const
const wall = { kind: 'five_hour', scope: 'account', resetsAt, evidence: 'transcript' } as const

const moved: OutpoolEvent = {
  ...{ ...common, kind: 'session-moved', session: 'docs', n: 1, cause: 'wall', from: 'max-1', to: 'max-2' },
  ...{
    wall,
    conversation: 'same',
    why: 'the most room',
    ms: 912,
    steps: [{ name: 'stop', ms: 20, failed: false }],
  },
}

it('the page of events is up to date (npx tsx config/events/writePage.ts)', () => {
  expect(readFileSync('docs/events.md', 'utf8')).toBe(eventsPage())
})

it('every kind has its place in the page, and every field of it a meaning', () => {
  const page = eventsPage()
  for (const kind of eventKinds) expect(page).toContain(`### \`${kind}\``)
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows.filter((line) => line.split('|')[2]!.trim() === '')).toEqual([])
})

describe('in words', () => {
  it('a rescue is one line that tells the story', () => {
    expect(describeEvent(moved, now)).toBe(
      `docs: max-1 walled (five_hour, until ${formatLocalClock(resetsAt, now)}) → max-2, same conversation, 0.9 s`,
    )
    expect(levelOf(moved)).toBe('info')
    expect(describeEvent({ ...moved, byPerson: true }, now)).toContain(
      `walled (five_hour, until ${formatLocalClock(resetsAt, now)}), ordered by a person → max-2`,
    )
  })

  it('a park says until when, and why', () => {
    const parked: OutpoolEvent = {
      ...{ ...common, kind: 'session-parked', session: 'docs', from: 'max-1', cause: 'wall', wall },
      ...{ until: resetsAt, why: 'max-2 is full' },
    }
    const at = formatLocalClock(resetsAt, now)
    expect(describeEvent(parked, now)).toBe(
      `docs: max-1 walled (five_hour, until ${at}) → parked until ${at}: max-2 is full`,
    )
    expect(
      describeEvent({ ...parked, cause: 'breaker', wall: null, until: null, why: '20 turns' }, now),
    ).toBe('docs: the breaker tripped → parked for a person: 20 turns')
  })
})

describe('law 11: the schema', () => {
  it('law 11: keeps nothing that it does not name, such as a prompt', () => {
    const parsed = eventSchema.parse({ ...moved, prompt: 'my secret', wall: { ...wall, text: 'an answer' } })
    expect(parsed).toEqual(moved)
  })

  it('law 15: refuses another version, and bounds lists', () => {
    expect(eventSchema.safeParse({ ...moved, v: 2 }).success).toBe(false)
    const steps = Array.from({ length: 1_000 }, (_, ms) => ({ name: 'x', ms, failed: false }))
    const parsed = eventSchema.parse({ ...moved, steps })
    expect(parsed.kind === 'session-moved' ? parsed.steps : []).toEqual(steps.slice(-40))
  })
})
