/**
 * What a command shows of a session: what the engine has, overlaid with what the worker of this host sees
 * right now.
 */
import { describe, expect, it } from 'vitest'
import { type SessionCard, mergeLiveState } from '../../client/sessions/sessionRows.js'
import type { LiveFile } from '../../config/state/liveFile.js'
import type { Home } from '../../config/state/home.js'

const at = '2026-01-02T03:04:05.000Z'
const home = { hostId: 'here' } as Home

const card = (change: Partial<SessionCard>): SessionCard => ({
  ...{ name: 'a', phase: 'idle', account: 'max-1', substrate: null, agent: 'claude-code', sessionId: '1' },
  ...{
    cwd: '/work',
    host: 'here',
    pane: '%1',
    model: null,
    rescues: 0,
    walledUntil: null,
    parkedUntil: null,
  },
  ...{ fork: null, untoldForks: [], models: [], fallback: null, pinnedTo: null, priority: 0, since: null },
  ...{ attention: null, why: null, tmuxSocket: null, pid: 1, transcript: null, startedAt: at, ...change },
})

const liveFile = (phase: 'working' | 'idle' | 'waiting', waitingFor: string | null = null): LiveFile => ({
  at,
  pid: 1,
  sessions: { a: { phase, waitingFor, fence: 1, transcript: '/late.jsonl' } },
  accounts: [],
})

const shown = (change: Partial<SessionCard>, live: LiveFile) =>
  mergeLiveState(card(change), live, home, new Date(at))

describe('the transcript', () => {
  it('of an agent that was launched without a prompt is known as soon as its worker saw it', () => {
    expect(shown({}, liveFile('idle')).transcript).toBe('/late.jsonl')
    expect(shown({ transcript: '/known.jsonl' }, liveFile('idle')).transcript).toBe('/known.jsonl')
  })
})

describe('attention', () => {
  it('for turns that keep failing stays while the agent rests between two tries', () => {
    expect(shown({ attention: 'look at it' }, liveFile('idle')).attention).toBe('look at it')
  })

  it('for a dialog ends with the dialog', () => {
    const change = { phase: 'waiting', attention: 'it asks' } as const
    expect(shown(change, liveFile('working'))).toMatchObject({ phase: 'working', attention: null })
    expect(shown({}, liveFile('waiting', 'a permission')).attention).toMatch(/a permission/)
  })
})
