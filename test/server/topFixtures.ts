/** A fleet for the screen of `outpool top`, and the screen as text. */
import picocolors from 'picocolors'
import { renderToString } from 'ink'
import { createElement } from 'react'
import { Screen } from '../../client/top/app.js'
import type { Fleet, FleetSession } from '../../client/top/fleet.js'
import { frameOf } from '../../client/top/frame.js'
import type { Press } from '../../client/top/keys.js'
import type { TerminalStyle } from '../../client/top/terminalStyle.js'
import { press } from '../../client/top/press.js'
import type { Effect } from '../../client/top/pressed.js'
import { initialState, type Size, type State, withFleet } from '../../client/top/state.js'
import type { AccountRow, WindowRow } from '../../policy/account/accountRow.js'
import type { OutpoolEvent } from '../../config/events/schema.js'

const at = new Date('2026-01-02T14:03:00Z')
const hours = (count: number): string => new Date(at.getTime() + count * 3_600_000).toISOString()

export const plain: TerminalStyle = { colors: picocolors.createColors(false), isAscii: false }

export const session = (name: string, change: Partial<FleetSession> = {}): FleetSession => ({
  ...{
    name,
    phase: 'idle',
    account: 'max-1',
    substrate: null,
    agent: 'claude-code',
    sessionId: `id-of-${name}`,
  },
  ...{ cwd: `/home/alex/work/${name}`, host: 'desk', pane: '%1', model: null, rescues: 0 },
  ...{ walledUntil: null, parkedUntil: null, attention: null, why: null },
  ...{ since: hours(-2), startedAt: hours(-5) },
  ...change,
})

const window = (name: string, used: number, resetsIn: number): WindowRow => ({
  ...{ name, used, resetsAt: hours(resetsIn), readAt: hours(-0.1), source: 'status-line', walled: false },
})

export const account = (name: string, change: Partial<AccountRow> = {}): AccountRow => ({
  ...{ name, role: 'pool', windows: [window('five_hour', 0.41, 2.5), window('seven_day', 0.2, 75)] },
  ...{ walledUntil: null, leases: ['docs', 'site'], state: 'ready', pages: [] },
  ...change,
})

export const sessions: FleetSession[] = [
  session('docs', { phase: 'working', rescues: 1, why: 'the most room: 59 % of five_hour' }),
  session('docs-2', {
    phase: 'waiting',
    account: 'max-2',
    attention: 'it asks for permission to run rm -rf build',
  }),
  session('api', {
    phase: 'parked',
    account: null,
    parkedUntil: hours(2.6),
    walledUntil: hours(2.5),
    rescues: 3,
  }),
  session('site', { phase: 'working', account: 'max-2', startedAt: hours(-0.2) }),
  session('mail', { phase: 'paused' }),
  session('notes', { cwd: '/home/alex/文档/项目-计划', startedAt: hours(-30) }),
  session('old', { phase: 'stopped', account: null }),
  session('far', { phase: 'working', host: 'rack', silentSince: hours(-0.05) }),
  session('cheap', { phase: 'working', account: null, substrate: 'haiku-key', model: 'claude-haiku-4-5' }),
]

export const fleetOf = (change: Partial<Fleet> = {}): Fleet => ({
  sessions,
  accounts: [
    account('max-1'),
    account('max-2', {
      windows: [window('five_hour', 0.93, 1.2), window('seven_day', 0.61, 30)],
      leases: ['docs-2'],
      state: 'near-limit',
    }),
    account('max-3', {
      windows: [{ ...window('five_hour', 1, 2.5), walled: true }, window('seven_day', 0.7, 99)],
      leases: [],
      state: 'walled',
      walledUntil: hours(2.5),
    }),
    account('medic', { role: 'reserved', leases: [] }),
    account('haiku-key', { role: 'substrate', windows: [], leases: ['cheap'] }),
  ],
  forecasts: new Map([
    ['max-1', { window: 'five_hour', runsOutAt: null, from: null, to: null, resetsAt: hours(2.5) }],
    [
      'max-2',
      { window: 'five_hour', runsOutAt: hours(0.3), from: hours(0.1), to: hours(0.6), resetsAt: hours(1.2) },
    ],
  ]),
  ...{ foreseenAt: at.getTime(), problems: [], at },
  ...change,
})

export const stateOf = (size: Size, change: Partial<State> = {}, fleet = fleetOf()): State => ({
  ...withFleet(initialState(size), fleet),
  ...change,
})

const recorded = { v: 1, host: 'desk', session: 'docs' } as const

export const events: OutpoolEvent[] = [
  {
    ...{
      ...recorded,
      id: 'e1',
      at: hours(-30),
      kind: 'session-started',
      place: 'max-2',
      agent: 'claude-code',
    },
    ...{ model: null, why: 'the most room: 80 % of five_hour', ms: 4_200 },
  },
  {
    ...{ ...recorded, id: 'e2', at: hours(-2), kind: 'session-walled', account: 'max-2', wall: 'five_hour' },
    ...{ scope: 'account', resetsAt: hours(1.2), evidence: 'transcript' },
  },
  {
    ...{
      ...recorded,
      id: 'e3',
      at: hours(-2),
      kind: 'session-moved',
      n: 1,
      cause: 'wall',
      from: 'max-2',
      to: 'max-1',
    },
    ...{ conversation: 'same', why: 'the most room: 59 % of five_hour', ms: 900, steps: [] },
    wall: { kind: 'five_hour', scope: 'account', resetsAt: hours(1.2), evidence: 'transcript' },
  },
]

/** As a terminal shows it, through the library that draws it. */
export function screen(state: State, style = plain): string {
  const frame = frameOf(state, style)
  return renderToString(createElement(Screen, { frame, colors: style.colors }), {
    columns: state.size.columns,
  })
}

let now = at.getTime()

/** Presses these keys, one a second; returns what the last one asks for. */
export function pressing(state: State, ...keys: (Press | string)[]): { state: State; effect: Effect | null } {
  let done: { state: State; effect: Effect | null } = { state, effect: null }
  keys.forEach((key) => {
    const pressed = typeof key === 'string' ? { text: key } : key
    done = press(done.state, pressed, (now += 1_000))
  })
  return done
}
