/** What `outpool top` shows in terminals of several sizes, as text: `screens/`. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, afterAll, describe, expect, it, vi } from 'vitest'
import { columnsOf } from '../../client/output/terminal.js'
import type { SessionDetail } from '../../client/top/detail.js'
import type { State } from '../../client/top/state.js'
import { account, events, fleetOf, plain, pressing, screen, session, stateOf } from './topFixtures.js'

beforeAll(() => {
  vi.stubEnv('TZ', 'UTC')
  vi.stubEnv('HOME', '/home/alex')
})
afterAll(() => vi.unstubAllEnvs())

const sizes = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 60 },
]
const detail: SessionDetail = {
  name: 'docs',
  events,
  pane: [
    '> make the docs',
    '',
    '● Reading 项目-计划.md',
    '  ⎿ 120 lines \u001b[31mred\u001b[0m',
    '✻ Thinking… (12s)',
  ],
  problem: null,
}
const many = fleetOf({
  sessions: Array.from({ length: 500 }, (_, n) =>
    session(`s-${String(n).padStart(3, '0')}`, { phase: 'working' }),
  ),
})

const matchesFile = (text: string, name: string): Promise<void> =>
  expect(`${text}\n`).toMatchFileSnapshot(`screens/${name}.txt`)

describe('the screen', () => {
  it.each(sizes)(
    'at $columns × $rows: accounts, sessions, what needs a person',
    async ({ columns, rows }) => {
      await matchesFile(screen(stateOf({ columns, rows })), `${columns}x${rows}`)
    },
  )

  it.each(sizes)('at $columns × $rows with the details of a session', async ({ columns, rows }) => {
    const state = stateOf({ columns, rows }, { chosen: 'docs', isDetailed: true, detail })
    await matchesFile(screen(state), `${columns}x${rows}-details`)
  })

  it('in ASCII: nothing else reaches the terminal, and the columns stay', async () => {
    const state = stateOf({ columns: 80, rows: 24 }, { chosen: 'docs', isDetailed: true, detail })
    const text = screen(state, { ...plain, isAscii: true })
    expect(text).toMatch(/^[\x20-\x7e\n]*$/)
    await matchesFile(text, '80x24-ascii')
  })

  it.each([
    ['help', ['?']],
    ['filter', ['/', 'd', 'o', 'c', 's']],
    ['text', ['t', 'go', ' ', 'on']],
    ['target', ['m', { key: 'down' } as const]],
    ['question', ['m', { key: 'down' } as const, { key: 'enter' } as const]],
  ])('at 80 × 24 with the %s open', async (name, keys) => {
    const { state } = pressing(stateOf({ columns: 80, rows: 24 }, { chosen: 'docs', row: 4 }), ...keys)
    await matchesFile(screen(state), `80x24-${name}`)
  })

  it('is in the guide as it is', () => {
    const ordinary = fleetOf()
    const shown = ['docs', 'docs-2', 'api', 'site', 'mail']
    const fleet = fleetOf({
      sessions: ordinary.sessions.filter(({ name }) => shown.includes(name)),
      accounts: ordinary.accounts.filter(({ role }) => role !== 'substrate'),
    })
    const pane = ['> make the docs', '', '● Reading plan.md', '  ⎿ 120 lines', '✻ Thinking… (12s)']
    const state = stateOf(
      { columns: 110, rows: 31 },
      { chosen: 'docs', isDetailed: true, detail: { ...detail, pane } },
      fleet,
    )
    const guide = readFileSync(
      fileURLToPath(new URL('../../docs/watch-your-fleet.md', import.meta.url)),
      'utf8',
    )
    expect(guide).toContain(`\`\`\`\n${screen(state)}\n\`\`\`\n`)
  })

  it('law 14: says what is wrong, and keeps the sessions that were read before', () => {
    const problems = ['no worker is watching on this host: start it with `outpool up`']
    const text = screen(stateOf({ columns: 80, rows: 24 }, {}, fleetOf({ problems })))
    expect(text).toContain('! no worker is watching on this host')
    expect(text).toContain('unheard for')
    expect(text).toContain('docs-2: it asks for permission')
  })

  it.each([
    ['no session', fleetOf({ sessions: [] }), 'No sessions. Start one with: outpool start'],
    ['one session', fleetOf({ sessions: [session('only')] }), '> only'],
    ['no account', fleetOf({ accounts: [] }), '> docs-2'],
  ])('shows %s', (_, fleet, wanted) => {
    expect(screen(stateOf({ columns: 80, rows: 24 }, {}, fleet))).toContain(wanted)
  })
})

/** Every line fits, and there are at most as many as rows. */
function expectFits(state: State): void {
  const lines = screen(state).split('\n')
  expect(lines.length).toBeLessThanOrEqual(state.size.rows)
  expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(state.size.columns)
}

describe('whatever the size', () => {
  const accounts = Array.from({ length: 40 }, (_, n) => account(`max-${n}`))
  const modes: (readonly string[])[] = [[], ['d'], ['?'], ['/', 's'], ['t', 'text'], ['m'], ['r'], ['p']]

  it('no line is wider and no screen is taller than the terminal', () => {
    for (const [columns, rows] of [
      [20, 5],
      [1, 1],
      [7, 3],
      [40, 12],
      [80, 24],
      [121, 33],
      [200, 60],
    ] as const)
      for (const keys of modes)
        for (const fleet of [
          fleetOf(),
          many,
          fleetOf({ accounts }),
          fleetOf({ sessions: [], accounts: [] }),
        ]) {
          const state = stateOf({ columns, rows }, { detail }, fleet)
          expectFits(pressing(state, ...keys).state)
        }
  })

  it('the chosen session and the question stay visible', () => {
    for (const chosen of ['s-000', 's-250', 's-499']) {
      const state = stateOf({ columns: 20, rows: 5 }, { chosen, row: Number(chosen.slice(2)) }, many)
      expect(screen(state)).toContain(`> ${chosen}`)
      const asked = screen(pressing(state, 'p').state).replaceAll(/\s+/g, ' ')
      expect(asked).toContain(`Pause ${chosen}?`)
      expect(asked).toContain('y/N')
    }
  })

  it('law 15: nothing of a name, folder, text or pane reaches the terminal but printable characters', () => {
    const evil = '\u001b[2J\u001b]0;title\u0007\u202egnp\u0008\u009b31m'
    const row = session('evil', { cwd: `/w/${evil}`, attention: `it asks ${evil}`, why: evil, model: evil })
    const state = stateOf(
      { columns: 120, rows: 40 },
      { isDetailed: true },
      fleetOf({ sessions: [row], problems: [evil] }),
    )
    const text = screen({
      ...state,
      detail: {
        ...detail,
        events: events.map((event) => ({ ...event, why: evil })),
        name: 'evil',
        pane: [evil, `x${evil}`],
        problem: evil,
      },
    })
    expect(text).not.toMatch(/(?!\n)\p{Cc}|\p{Bidi_Control}/u)
    expect(text).toContain('it asks')
  })
})
