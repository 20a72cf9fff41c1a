/** Each change of an account is recorded once, also by the worker after one that was killed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { OutpoolEvent } from '../../config/events/schema.js'
import { type Home, openHome } from '../../config/state/home.js'
import { AccountEvents } from '../../host/state/accountEvents.js'
import { EventStore } from '../../host/state/eventStore.js'
import { type AccountReading, emptyReading, type Wall, type Window } from '../../policy/account/account.js'

const now = Date.parse('2026-11-22T20:00:00.000Z')
const minute = 60_000
const at = (ms: number): string => new Date(ms).toISOString()

let dir: string
let home: Home
let reading: AccountReading
let worker: AccountEvents

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-events-'))
  home = openHome({ OUTPOOL_HOME: dir })
  reading = emptyReading('max-1')
  restart()
})
afterEach(() => {
  worker.stop()
  rmSync(dir, { recursive: true, force: true })
})

function restart(): void {
  worker = new AccountEvents({
    events: new EventStore(home, () => ({ maxSize: 1_000_000, keepFor: 86_400_000 })),
    rulesOf: (account) =>
      account === 'max-1' ? { role: 'pool', moveAt: 0.95, ceiling: 1, wakeMargin: 10_000 } : null,
    reading: () => reading,
  })
}

const said = (): OutpoolEvent[] => new EventStore(home, () => ({ maxSize: 1, keepFor: 1 })).stored()
const kinds = (): string[] => said().map(({ kind }) => kind)

const window = (used: number, readAt = now): Window => ({
  ...{ name: 'five_hour', used, resetsAt: at(now + 60 * minute), readAt: at(readAt), source: 'status-line' },
})
const wall = (scope: Wall['scope'] = 'account'): Wall => ({
  ...{ kind: scope === 'account' ? 'five_hour' : 'seven_day_opus', scope, resetsAt: at(now + 60 * minute) },
  ...{ evidence: 'transcript entry', at: at(now) },
})

it('law 14: near its limit, walled, and back when the reset is over: once each, also after a restart', () => {
  reading = { ...reading, windows: [window(0.96)] }
  worker.review('max-1', now)
  reading = { ...reading, walls: [wall()] }
  worker.review('max-1', now + 1)
  worker.review('max-1', now + 2)
  expect(kinds()).toEqual(['account-near-limit', 'account-walled'])
  expect(said()[1]).toMatchObject({ wall: 'five_hour', scope: 'account', evidence: 'transcript' })
  restart()
  worker.review('max-1', now + minute)
  expect(kinds()).toHaveLength(2)
  restart()
  worker.review('max-1', now + 61 * minute)
  worker.review('max-1', now + 62 * minute)
  expect(kinds().slice(2).sort()).toEqual(['account-back', 'account-back'])
  expect(said().find((event) => event.kind === 'account-back' && event.from === 'wall')).toMatchObject({
    scope: 'account',
    afterMs: 61 * minute - 1,
  })
})

it('law 14: a change that a killed worker could not record is recorded by the next one', () => {
  reading = { ...reading, walls: [wall()] }
  restart()
  worker.review('max-1', now)
  expect(kinds()).toEqual(['account-walled'])
})

it('law 14: a wall of one model and one of the account are two events', () => {
  reading = { ...reading, walls: [wall('model:opus')] }
  worker.review('max-1', now)
  reading = { ...reading, walls: [wall('model:opus'), wall()] }
  worker.review('max-1', now + 1)
  expect(said().map((event) => ('scope' in event ? event.scope : null))).toEqual(['model:opus', 'account'])
})

it('law 14: logged out, and in again', () => {
  reading = { ...reading, login: 'out', loginAt: at(now) }
  worker.review('max-1', now)
  worker.review('max-1', now + 1)
  reading = { ...reading, login: 'in', loginAt: at(now + 2) }
  worker.review('max-1', now + 2)
  expect(kinds()).toEqual(['account-logged-out', 'account-logged-in'])
})

it('law 14: a full window that no session ran into is a wall by its reading', () => {
  reading = { ...reading, windows: [window(1)] }
  worker.review('max-1', now)
  expect(said()).toMatchObject([{ kind: 'account-walled', evidence: 'reading' }])
})

it('law 14: nothing is recorded of an account that the configuration does not name', () => {
  reading = { ...emptyReading('gone'), login: 'out' }
  worker.review('gone', now)
  expect(said()).toEqual([])
})
