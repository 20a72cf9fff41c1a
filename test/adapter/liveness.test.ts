/** What the adapter reads of running processes from the files that the agent program writes about each. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { agentNamed } from '../../agents/index.js'
import { testPlaces, writeJson } from './places.js'

const adapter = agentNamed('claude-code')
const { place } = testPlaces()

describe('live states', () => {
  it('law 6: dead processes and stale files are left out, unknown words count as busy', async () => {
    const target = place()
    mkdirSync(join(target.configDir, 'sessions'))
    const child = spawn('sleep', ['60'])
    const pid = child.pid ?? 0
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const procStart = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    const put = (name: string, content: object): void =>
      writeJson(join(target.configDir, 'sessions', name), {
        sessionId: 's',
        statusUpdatedAt: 1795292619783,
        ...content,
      })
    put(`${pid}.json`, { pid, procStart, status: 'waiting', waitingFor: 'dialog open' })
    put('1.json', { pid, procStart: '1', status: 'idle' })
    put('2.json', { pid, procStart, status: 'pondering' })
    put('notes.txt', { pid, procStart, status: 'idle' })
    writeFileSync(join(target.configDir, 'sessions', '3.json'), '{"pid":')
    const at = '2026-11-21T20:23:39.783Z'
    const states = await adapter.readLiveStates(target)
    expect(states).toHaveLength(2)
    expect(states).toContainEqual({
      pid,
      sessionId: 's',
      activity: 'waiting',
      waitingFor: 'dialog open',
      updatedAt: at,
    })
    expect(states).toContainEqual({ pid, sessionId: 's', activity: 'busy', waitingFor: null, updatedAt: at })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    child.kill('SIGKILL')
    await ended
    expect(await adapter.readLiveStates(target)).toEqual([])
  })
})
