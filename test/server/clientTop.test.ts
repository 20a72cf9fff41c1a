/** `outpool top` in a real terminal, and what it displays. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import picocolors from 'picocolors'
import { type Fleet, screen } from '../../client/top/screen.js'
import { columnsOf } from '../../client/output/terminal.js'
import type { Phase, SessionView } from '../../policy/session/session.js'
import { until } from '../../lab/until.js'
import { type TestHome, newTestHome, outpool } from './testHome.js'

const session = (name: string, phase: Phase, attention: string | null = null): SessionView => ({
  ...{ name, phase, account: 'max-1', substrate: null, agent: 'claude-code', sessionId: 'x', cwd: '/work' },
  ...{ host: 'h', pane: '%1', model: null, rescues: 0, walledUntil: null, parkedUntil: null, attention },
})
const fleetOf = (...sessions: SessionView[]): Fleet => ({
  ...{
    sessions,
    accounts: [],
    forecasts: new Map(),
    foreseenAt: 0,
    problems: [],
    at: new Date('2026-01-02T03:04:05Z'),
  },
})
const view = (lines: number, chosen: string | null = null, columns = 80) => ({
  ...{ columns, lines, chosen, colors: picocolors.createColors(false) },
})

describe('the screen', () => {
  it('counts the phases, and lists sessions that need a person first', () => {
    const lines = screen(
      fleetOf(session('a', 'working'), session('b', 'waiting', 'it asks\u001b[31m something')),
      view(20),
    )
    expect(lines[0]).toMatch(/^outpool .* 1 working · 1 waiting$/)
    const rows = lines.filter((line) => /^[ab] /.test(line)).map((line) => line[0])
    expect(rows).toEqual(['b', 'a'])
    expect(lines).toContain('! b: it asks something')
  })

  it('never outgrows the terminal, and keeps the selected session visible', () => {
    const many = Array.from({ length: 200 }, (_, n) => session(`s${String(n).padStart(3, '0')}`, 'working'))
    for (const chosen of ['s000', 's100', 's199']) {
      const lines = screen(fleetOf(...many), view(24, chosen, 60))
      expect(lines.length).toBeLessThanOrEqual(24)
      expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(60)
      expect(lines.some((line) => line.startsWith(chosen))).toBe(true)
    }
  })
})

describe('in a terminal', () => {
  let place: TestHome
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-S', join(place.dir, 'own.sock'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...place.env },
    })
  const shown = (): string => tmux('capture-pane', '-p', '-t', 'top')

  beforeEach(() => {
    place = newTestHome()
  })
  afterEach(() => {
    tmux('kill-server')
    place.remove()
  })

  it.each([
    ['of its own kind', ''],
    ['without an entry, without a locale of UTF-8', 'TERM=xterm-ghostty LC_ALL=C'],
    ['that says it is dumb', 'TERM=dumb'],
    ['with an empty name', 'TERM='],
  ])(
    'shows the accounts and the problem without an engine in a terminal %s, and restores it at q',
    async (_, named) => {
      const env = Object.entries(place.env).flatMap(([name, value]) => ['-e', `${name}=${value ?? ''}`])
      tmux('new-session', '-d', '-s', 'top', '-x', '100', '-y', '30', '-c', place.dir, ...env, '/bin/sh')
      tmux('send-keys', '-t', 'top', `env ${named} ${outpool.join(' ')} top; echo left with $?`, 'Enter')
      const screen = await until(
        'top',
        () => Promise.resolve(shown()),
        (text) => text.includes('q quits'),
      )
      expect(screen).toContain('max-2')
      expect(screen).toContain('! no Temporal server is running')
      tmux('send-keys', '-t', 'top', 'q')
      const after = await until(
        'the shell',
        () => Promise.resolve(shown()),
        (text) => text.includes('left with 0'),
      )
      expect(after).not.toContain('q quits')
    },
  )
})
