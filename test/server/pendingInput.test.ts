/** What a person typed while no agent was there, taken over by a worker that is killed at its worst moment. */
import type * as Fs from 'node:fs'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keptDraft } from '../../activities/session/keptDraft.js'
import { readText, takeHeld, textsWaiting } from '../../activities/session/pendingInput.js'
import { parseConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { Host } from '../../host/host.js'

/** A removal below this folder ends the worker. */
const kill = vi.hoisted(() => ({ below: null as string | null }))
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof Fs>()
  const rm: typeof fs.rmSync = (path, options) => {
    if (kill.below !== null && String(path).startsWith(kill.below)) throw new Error('killed')
    fs.rmSync(path, options)
  }
  return { ...fs, rmSync: rm }
})

let dir: string
const started = (): Host => {
  const config = parseConfig('pool: { accounts: [{ name: a, configDir: a }] }', join(dir, 'outpool.yaml'), {})
  return new Host(openHome({ OUTPOOL_HOME: dir }), config)
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-pending-'))
  mkdirSync(join(dir, 'a'))
})
afterEach(() => {
  kill.below = null
  rmSync(dir, { recursive: true })
})

/** One that is killed before the file of keys is gone, and one that comes after it. */
async function takenTwice(): Promise<Host> {
  const first = started()
  kill.below = first.records.folder('s')
  await expect(takeHeld(first, 's')).rejects.toThrow('killed')
  kill.below = null
  const second = started()
  await takeHeld(second, 's')
  return second
}

it('law 5: keys typed for the next agent come once, though the worker that took them over was killed', async () => {
  const folder = started().records.folder('s')
  writeFileSync(join(folder, 'held-3'), 'sent\nhalf a')
  const host = await takenTwice()
  expect(textsWaiting(host, 's').map((name) => readText(host, 's', name))).toEqual(['sent'])
  expect(keptDraft(host, 's')?.text).toBe('half a')
  // More keys may come under the same fence: a stop that is asked for again begins to keep them again.
  writeFileSync(join(folder, 'held-3'), ' thought')
  expect(keptDraft(await takenTwice(), 's')).toMatchObject({ text: 'half a thought', mode: 'words' })
})

it('law 5: a shell command that was begun while no agent was there stays one', async () => {
  writeFileSync(join(started().records.folder('s'), 'held-3'), '!ls')
  const host = await takenTwice()
  expect(keptDraft(host, 's')).toMatchObject({ text: 'ls', mode: 'shell' })
})
