/** The forms of a line of the log: for a person, for systemd's journal, for programs. */
import { fstatSync } from 'node:fs'
import picocolors from 'picocolors'
import { afterEach, expect, it, vi } from 'vitest'
import type { OutpoolEvent } from '../../config/events/schema.js'
import { configureLog, defaultFormat, formatEntry, log, logEvent } from '../../host/log.js'

const plain = picocolors.createColors(false)
const entry: Parameters<typeof formatEntry>[0] = {
  ...{ level: 'warn', time: '2026-11-22T21:50:03.000Z', msg: 'reports could not be read' },
  err: { message: 'EACCES: permission denied', stack: 'Error: EACCES\n    at read (fs.ts:1:1)' },
}

afterEach(() => {
  vi.restoreAllMocks()
  configureLog({ format: 'text', level: 'info' })
})

function written(work: () => void): string[] {
  const lines: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0)
  work()
  return lines
}

it('for a person: time, level, text and the error in one line; its stack only when asked for', () => {
  const time = new Date(entry.time).toLocaleTimeString('en-GB')
  const line = `${time} warn  reports could not be read: EACCES: permission denied\n`
  expect(formatEntry(entry, 'text', { colors: plain })).toBe(line)
  expect(formatEntry(entry, 'text', { colors: plain, withStack: true })).toBe(
    `${line}Error: EACCES\n    at read (fs.ts:1:1)\n`,
  )
  expect(formatEntry(entry, 'text', { colors: picocolors.createColors(true) })).toContain('\u001b[33mwarn')
})

it('for the journal: a priority for each line, and no time', () => {
  expect(formatEntry(entry, 'journal', { withStack: true })).toBe(
    '<4>reports could not be read: EACCES: permission denied\n<4>Error: EACCES\n<4>    at read (fs.ts:1:1)\n',
  )
  const priorityOf = (level: 'error' | 'info' | 'debug') =>
    formatEntry({ ...entry, level }, 'journal').slice(0, 3)
  expect((['error', 'info', 'debug'] as const).map(priorityOf)).toEqual(['<3>', '<6>', '<7>'])
})

it('the journal is known by its own socket, not by a variable that was inherited', () => {
  expect(defaultFormat({})).toBe('text')
  expect(defaultFormat({ JOURNAL_STREAM: '1:2' })).toBe('text')
  expect(defaultFormat({ JOURNAL_STREAM: 'junk' })).toBe('text')
  const { dev, ino } = fstatSync(2)
  expect(defaultFormat({ JOURNAL_STREAM: `${dev}:${ino}` })).toBe('journal')
})

it('law 14: for programs: an event is one JSON object with its text and its fields', () => {
  configureLog({ format: 'json', level: 'info' })
  const common = { v: 1, id: 'x', at: entry.time, host: 'here' } as const
  const lines = written(() => {
    logEvent({ ...common, kind: 'session-stopped', session: 'docs', why: 'its work is done' })
    logEvent({ ...common, kind: 'account-read', account: 'max-1', windows: [] })
    log.error({ err: new Error('it broke') }, 'a check failed')
  })
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    {
      level: 'info',
      msg: 'docs: stopped: its work is done',
      event: { kind: 'session-stopped', session: 'docs' },
    },
    { level: 'error', msg: 'a check failed', err: { message: 'it broke' } },
  ])
})

it('by level: what another event says too is left to debug', () => {
  const common = { v: 1, id: 'x', at: entry.time, host: 'here' } as const
  const read: OutpoolEvent = { ...common, kind: 'account-read', account: 'max-1', windows: [] }
  expect(written(() => logEvent(read))).toEqual([])
  configureLog({ format: 'text', level: 'debug' })
  expect(written(() => logEvent(read))).toHaveLength(1)
})
