/** What the keys of `outpool top` do: choosing, arranging, and orders that reach the confirmed session or none. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sortKeys } from '../../client/top/arrange.js'
import { keyHelp } from '../../client/top/keys.js'
import { emptyInput, insert, shownInput } from '../../client/top/lineInput.js'
import { press } from '../../client/top/press.js'
import { listed, type State, withFleet } from '../../client/top/state.js'
import { columnsOf } from '../../client/output/terminal.js'
import { fleetOf, pressing, session, sessions, stateOf } from './topFixtures.js'

const size = { columns: 80, rows: 24 }
const names = (state: State): string[] => listed(state).map(({ name }) => name)
const up = { key: 'up' } as const
const down = { key: 'down' } as const
const enter = { key: 'enter' } as const
const escape = { key: 'escape' } as const

describe('the list', () => {
  it('shows sessions that need a person first, then those of which nothing is known', () => {
    expect(names(stateOf(size)).slice(0, 2)).toEqual(['docs-2', 'far'])
    expect(stateOf(size).chosen).toBe('docs-2')
  })

  it('is sorted by each key in turn; S reverses it', () => {
    let state = stateOf(size)
    const orders = sortKeys.map(() => {
      state = pressing(state, 's').state
      return `${state.sort}: ${names(state).join(' ')}`
    })
    expect(orders).toEqual([
      'name: api cheap docs docs-2 far mail notes old site',
      'phase: cheap docs far site notes docs-2 api mail old',
      'account: api old cheap docs far mail notes docs-2 site',
      'age: site api cheap docs docs-2 far mail old notes',
      'attention: docs-2 far api cheap docs site notes mail old',
    ])
    const byName = pressing(state, 's', 'S').state
    expect(names(byName)[0]).toBe('site')
    expect(names(pressing(byName, 'S').state)[0]).toBe('api')
  })

  it.each([
    ['docs', ['docs-2', 'docs']],
    ['max-2', ['docs-2', 'site']],
    ['parked', ['api']],
    ['unheard', ['far']],
    ['项目', ['notes']],
    ['WORK work/s', ['site']],
    ['nothing-like-it', []],
  ])('shows only what matches %s, and everything after Esc', (filter, wanted) => {
    const filtered = pressing(stateOf(size), '/', filter, enter).state
    expect(names(filtered)).toEqual(wanted)
    expect(filtered.chosen).toBe(wanted[0] ?? null)
    expect(names(pressing(filtered, escape).state)).toHaveLength(sessions.length)
  })

  it('keeps the chosen session over a refresh that puts it elsewhere', () => {
    const state = pressing(stateOf(size), down, down, down).state
    const { chosen } = state
    const moved = sessions.map((one) =>
      one.name === chosen ? { ...one, phase: 'waiting' as const, attention: 'x' } : one,
    )
    const next = withFleet(state, fleetOf({ sessions: moved }))
    expect(next.chosen).toBe(chosen)
    expect(names(next).indexOf(chosen ?? '')).toBeLessThan(2)
  })

  it('chooses no other session in place of one that is gone', () => {
    const state = stateOf(size, { chosen: 'docs', row: 4 })
    const gone = withFleet(state, fleetOf({ sessions: sessions.filter(({ name }) => name !== 'docs') }))
    expect(gone.chosen).toBeNull()
    for (const key of [enter, 'p', 'm', 'r', 't'])
      expect(pressing(gone, key)).toMatchObject({ effect: null, state: { mode: { kind: 'list' } } })
    expect(pressing(gone, down).state.row).toBe(4)
    expect(pressing(gone, up).state.row).toBe(3)
  })
})

describe('orders', () => {
  const docs = { name: 'docs', sessionId: 'id-of-docs' }
  const start = stateOf(size, { chosen: 'docs', row: 4 })

  it.each([
    ['p', 'Pause docs? Its turn is cut off', { kind: 'pause', subject: docs }],
    ['r', 'Rescue docs: take it from max-1 to the best account?', { kind: 'rescue', subject: docs }],
  ])('%s asks, names the session and the consequence, and needs a y', (key, question, order) => {
    const asked = pressing(start, key)
    expect(asked.effect).toBeNull()
    expect(asked.state.mode).toMatchObject({
      kind: 'confirm',
      question: expect.stringContaining(question) as string,
    })
    expect(pressing(start, key, 'y').effect).toEqual({ do: 'order', order })
    for (const other of ['n', 'p', 'q', ' ', enter, escape, down, { key: 'tab' as const }])
      expect(pressing(start, key, other)).toMatchObject({ effect: null, state: { mode: { kind: 'list' } } })
  })

  it('m offers the best account and each other one of the pool, and asks', () => {
    const chosen = pressing(start, 'm')
    expect(chosen.state.mode).toMatchObject({ kind: 'target', targets: [null, 'max-2', 'max-3'] })
    expect(pressing(start, 'm', down, enter).state.mode).toMatchObject({
      question: expect.stringMatching(/^Move docs to max-2\?/) as string,
    })
    expect(pressing(start, 'm', down, enter, 'y').effect).toEqual({
      do: 'order',
      order: { kind: 'move', subject: docs, to: 'max-2' },
    })
    expect(pressing(start, 'm', enter, 'y').effect).toMatchObject({ order: { kind: 'rescue' } })
    expect(pressing(start, 'm', escape).state.mode.kind).toBe('list')
  })

  it('p resumes what is paused or stopped', () => {
    for (const name of ['mail', 'old'])
      expect(pressing(stateOf(size, { chosen: name }), 'p', 'y').effect).toMatchObject({
        order: { kind: 'resume', subject: { name } },
      })
    expect(pressing(stateOf(size, { chosen: 'old' }), 'm')).toMatchObject({
      state: { mode: { kind: 'list' }, note: { text: expect.stringContaining('is stopped') as string } },
    })
  })

  it('t sends the text that Enter ends, and nothing after Esc or without a text', () => {
    expect(pressing(start, 't', 'go', ' on', enter).effect).toEqual({
      do: 'order',
      order: { kind: 'send', subject: docs, text: 'go on' },
    })
    expect(pressing(start, 't', 'go', escape)).toMatchObject({
      effect: null,
      state: { mode: { kind: 'list' } },
    })
    expect(pressing(start, 't', enter)).toMatchObject({ effect: null, state: { mode: { kind: 'text' } } })
  })

  it('law 5: reach the session that was confirmed, wherever the list has put it meanwhile', () => {
    const asked = pressing(start, 'p').state
    const resorted = withFleet(
      asked,
      fleetOf({
        sessions: sessions.map((one) => ({
          ...one,
          phase: one.name === 'docs' ? ('idle' as const) : ('waiting' as const),
        })),
      }),
    )
    expect(pressing({ ...resorted, chosen: 'docs-2' }, 'y').effect).toEqual({
      do: 'order',
      order: { kind: 'pause', subject: docs },
    })
  })

  it.each([
    ['is gone', sessions.filter(({ name }) => name !== 'docs')],
    [
      'has stopped',
      sessions.map((one) => (one.name === 'docs' ? session('docs', { phase: 'stopped' }) : one)),
    ],
    [
      'is another one of the same name',
      sessions.map((one) => (one.name === 'docs' ? session('docs', { sessionId: 'other' }) : one)),
    ],
  ])('law 5: reach nothing if the session %s while the question is open', (_, left) => {
    for (const keys of [['p'], ['r'], ['m'], ['m', down, enter]]) {
      const open = withFleet(pressing(start, ...keys).state, fleetOf({ sessions: left }))
      expect(open.mode.kind).toBe('list')
      expect(open.note?.text).toContain('nothing was done')
      expect(pressing(open, 'y').effect).toBeNull()
    }
    const typing = withFleet(pressing(start, 't', 'hello').state, fleetOf({ sessions: left }))
    const sent = pressing(typing, enter)
    expect(sent.effect).toBeNull()
    expect(sent.state).toMatchObject({
      mode: { input: { text: 'hello' } },
      note: { text: expect.stringContaining('nothing was done') as string },
    })
  })
})

describe('keys that were not meant for the screen', () => {
  const start = stateOf(size, { chosen: 'docs', row: 4 })
  const long = 'p y r y q \n\ry'.repeat(800)

  it('law 13: a pasted text orders nothing, closes nothing, and answers no question', () => {
    for (const pasted of [{ paste: long }, { text: long }, { text: 'py' }, { text: 'y\r' }]) {
      expect(pressing(start, pasted)).toMatchObject({
        effect: null,
        state: { mode: { kind: 'list' }, chosen: 'docs' },
      })
      const asked = pressing(start, 'p', pasted)
      expect(asked).toMatchObject({ effect: null, state: { mode: { kind: 'confirm' } } })
    }
  })

  it('law 13: a y that was typed before the question could be read is no answer', () => {
    const asked = press(start, { text: 'r' }, 0).state
    const early = press(asked, { text: 'y' }, 100)
    expect(early).toMatchObject({ effect: null, state: { mode: { kind: 'confirm' } } })
    expect(press(early.state, { text: 'y' }, 1_000).effect).toMatchObject({ do: 'order' })
  })

  it('a pasted text goes into the input as it is, and its line breaks send nothing', () => {
    const pasted = 'first\r\nsecond\tthird\u001b[31m'
    const { state } = pressing(start, 't', { paste: pasted })
    expect(state.mode).toMatchObject({ kind: 'text', input: { text: 'first\nsecond\tthird' } })
    // From a terminal that does not mark what is pasted.
    const typing = press(pressing(start, 't').state, { text: 'first' }, 5_000).state
    const broken = press(typing, enter, 5_001)
    expect(broken).toMatchObject({ effect: null, state: { mode: { input: { text: 'first\n' } } } })
    expect(press(broken.state, enter, 9_000).effect).toMatchObject({ order: { text: 'first\n' } })
  })

  it('no keys but a y alone, an Enter in the input and an Enter in the list have an effect on a session', () => {
    const key = fc.constantFrom(
      'p',
      'r',
      'm',
      't',
      'n',
      's',
      '/',
      'd',
      '?',
      up,
      down,
      escape,
      { paste: 'y' },
      { text: 'yy' },
      { text: 'y\r' },
    )
    fc.assert(
      fc.property(fc.array(key, { maxLength: 30 }), (keys) => {
        expect(pressing(start, ...keys).effect).toBeNull()
      }),
      { numRuns: 300 },
    )
  })
})

describe('the input', () => {
  it('edits whole characters, and shows the part around the cursor', () => {
    const typed = pressing(
      stateOf(size, { chosen: 'docs' }),
      't',
      'a👨‍👩‍👧b',
      { key: 'left' },
      { key: 'backspace' },
      '項',
    ).state
    expect(typed.mode).toMatchObject({ input: { text: 'a項b', cursor: 2 } })
    const long = insert(emptyInput, '項目 '.repeat(4_000))
    for (const cursor of [0, 3_000, long.text.length])
      for (const columns of [1, 2, 10, 80]) {
        const shown = shownInput({ ...long, cursor }, columns)
        expect(shown).toContain('_')
        expect(columnsOf(shown)).toBeLessThanOrEqual(columns)
      }
  })
})

it('the guide lists every key', () => {
  const guide = readFileSync(
    fileURLToPath(new URL('../../docs/watch-your-fleet.md', import.meta.url)),
    'utf8',
  )
  for (const { keys, does } of keyHelp) {
    const cell = keys
      .split(', ')
      .map((key) => `\`${key}\``)
      .join(', ')
    expect(guide.replaceAll(/ +/g, ' ')).toContain(`| ${cell} | ${does} |`)
  }
})
