/** The files of events: each event once, whatever ended the writer, within their bounds. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EventReader } from '../../config/events/files.js'
import type { EventDraft, OutpoolEvent } from '../../config/events/schema.js'
import { type Home, openHome } from '../../config/state/home.js'
import { EventStore } from '../../host/state/eventStore.js'

let dir: string
let home: Home
const bounds = () => ({ maxSize: 1_000_000, keepFor: 86_400_000 })

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-events-'))
  home = openHome({ OUTPOOL_HOME: dir })
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(dir, { recursive: true, force: true })
})

const draft = (n: number, more: object = {}): EventDraft => ({
  ...{ id: `session/docs/run/${n}`, at: '2026-11-22T21:50:00.000Z', kind: 'session-paused', session: 'docs' },
  ...more,
})
const stored = (): OutpoolEvent[] => new EventReader(home).next()
const ids = (): number[] => stored().map(({ id }) => Number(id.split('/').at(-1)))
const files = (): string[] => readdirSync(home.events).sort()
const file = (at = 0): string => join(home.events, files()[at]!)

describe('law 14: an event', () => {
  it('law 14: is recorded once and logged once, however often its source gives it', () => {
    const said: string[] = []
    const store = new EventStore(home, bounds, ({ id }) => said.push(id))
    store.record(draft(1), draft(2))
    store.record(draft(2), draft(3))
    // The next worker of this host.
    new EventStore(home, bounds, ({ id }) => said.push(id)).record(draft(3), draft(1), draft(4))
    expect(ids()).toEqual([1, 2, 3, 4])
    expect(said).toEqual([1, 2, 3, 4].map((n) => draft(n).id))
    expect(stored()[0]).toEqual({ ...draft(1), v: 1, host: home.hostId })
  })

  it('law 15: is readable only for its user', () => {
    new EventStore(home, bounds).record(draft(1))
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(statSync(home.events).mode & 0o777).toBe(0o700)
  })

  it('law 7: that was torn by a kill is skipped by readers, ended by the next writer, and recorded again', () => {
    const store = new EventStore(home, bounds)
    store.record(draft(1), draft(2))
    truncateSync(file(), statSync(file()).size - 10)
    expect(ids()).toEqual([1])
    new EventStore(home, bounds).record(draft(2), draft(3))
    expect(ids()).toEqual([1, 2, 3])
  })

  it('law 15: is found among lines of other programs and versions, and between binary junk', () => {
    const store = new EventStore(home, bounds)
    store.record(draft(1))
    appendFileSync(
      file(),
      `{"v":2,"kind":"session-paused"}\nnull\n[1]\n${'x'.repeat(100_000)}\n\u0000\u00ff\n`,
    )
    store.record(draft(2))
    expect(ids()).toEqual([1, 2])
  })

  it('law 15: from outside is bounded, and an invalid one does not stop the others', () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const long = draft(2, { kind: 'session-stopped', why: `line\u001b[31m\n${'x'.repeat(10_000)}` })
    new EventStore(home, bounds).record(draft(1, { at: 'yesterday' }), long, draft(3))
    const [stopped] = stored()
    expect(ids()).toEqual([2, 3])
    expect(stopped?.kind === 'session-stopped' ? stopped.why : '').toMatch(/^line \[31m x{200,}$/)
    expect(JSON.stringify(stopped).length).toBeLessThan(1_000)
    expect(stderr.mock.calls.flat().join(' ')).toContain('the event session-paused is not valid')
  })

  it('law 10: that cannot be written stops nothing else, and is recorded when it can be', () => {
    vi.useFakeTimers()
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const said: string[] = []
    const blocked = join(home.events, 'events-00000001.jsonl')
    mkdirSync(blocked)
    const store = new EventStore(home, bounds, ({ id }) => said.push(id))
    store.record(draft(1))
    expect(said).toEqual([])
    expect(stderr.mock.calls.flat().join(' ')).toContain('events could not be written; outpool tries again')
    rmSync(blocked, { recursive: true })
    vi.advanceTimersByTime(10_000)
    vi.useRealTimers()
    expect(ids()).toEqual([1])
    expect(said).toHaveLength(1)
  })
})

describe('the files of events', () => {
  const small = { maxSize: 16_000, keepFor: 86_400_000 }

  it('are rotated, keep within their size, and keep the newest', () => {
    const store = new EventStore(home, () => small)
    for (let n = 1; n <= 500; n++) store.record(draft(n))
    const size = files().reduce((sum, name) => sum + statSync(join(home.events, name)).size, 0)
    expect(size).toBeLessThanOrEqual(small.maxSize)
    expect(ids().at(-1)).toBe(500)
    expect(ids()).toEqual(Array.from(ids(), (_, index) => 500 - ids().length + 1 + index))
    expect(ids().length).toBeGreaterThan(50)
  })

  it('are removed when they are old, except for the one that is written', () => {
    const store = new EventStore(home, () => small)
    for (let n = 1; n <= 60; n++) store.record(draft(n))
    const before = files().length
    expect(before).toBeGreaterThan(2)
    const old = new Date(Date.now() - 2 * small.keepFor)
    for (const name of files()) utimesSync(join(home.events, name), old, old)
    expect(store.prune(Date.now())).toBe(before - 1)
    expect(ids().at(-1)).toBe(60)
  })

  it('are bounded by the configuration as it is now', () => {
    let configured = small
    const store = new EventStore(home, () => configured)
    for (let n = 1; n <= 60; n++) store.record(draft(n))
    const before = files().length
    expect(store.prune(Date.now())).toBe(0)
    configured = { ...small, maxSize: 1 }
    expect(store.prune(Date.now())).toBe(before - 1)
  })

  it('are followed over rotation, a restart of the writer, half a line and a removed file', () => {
    const reader = new EventReader(home)
    const next = (): number[] => reader.next().map(({ id }) => Number(id.split('/').at(-1)))
    expect(next()).toEqual([])
    let store = new EventStore(home, () => small)
    store.record(draft(1))
    expect(next()).toEqual([1])
    appendFileSync(file(), '{"v":1,"id":"half')
    expect(next()).toEqual([])
    store = new EventStore(home, () => small)
    store.record(draft(2))
    expect(next()).toEqual([2])
    for (let n = 3; n <= 40; n++) store.record(draft(n))
    expect(next()).toEqual(Array.from({ length: 38 }, (_, index) => index + 3))
    for (let n = 41; n <= 60; n++) store.record(draft(n))
    const at = files().length - 1
    for (const name of files().slice(0, at)) rmSync(join(home.events, name))
    const rest = next()
    expect(rest.at(-1)).toBe(60)
    expect(next()).toEqual([])
  })
})
