/** What a person typed while there was no agent, collected by a worker that is killed at the worst moment. */
import type * as Fs from 'node:fs'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { savedDraft } from '../../activities/session/savedDraft.js'
import { readText, collectPendingInput, pendingTexts } from '../../activities/session/pendingInput.js'
import { parseConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { Host } from '../../host/host.js'

/** A removal below this folder kills the worker. */
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
const newHost = (): Host => {
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

/** A worker that is killed before it has removed the file of keys, and the one after it. */
async function collectTwice(): Promise<Host> {
  const first = newHost()
  kill.below = first.records.folder('s')
  await expect(collectPendingInput(first, 's')).rejects.toThrow('killed')
  kill.below = null
  const second = newHost()
  await collectPendingInput(second, 's')
  return second
}

it('law 5: keys typed for the next agent are delivered once, although the worker that collected them was killed', async () => {
  const folder = newHost().records.folder('s')
  writeFileSync(join(folder, 'held-3'), 'sent\nhalf a')
  const host = await collectTwice()
  expect(pendingTexts(host, 's').map((name) => readText(host, 's', name))).toEqual(['sent'])
  expect(savedDraft(host, 's')?.text).toBe('half a')
  // More keys may be typed under the same fence: a repeated stop begins to collect them again.
  writeFileSync(join(folder, 'held-3'), ' thought')
  expect(savedDraft(await collectTwice(), 's')).toMatchObject({ text: 'half a thought', mode: 'words' })
})

it('law 5: a shell command that was begun while there was no agent stays a shell command', async () => {
  writeFileSync(join(newHost().records.folder('s'), 'held-3'), '!ls')
  const host = await collectTwice()
  expect(savedDraft(host, 's')).toMatchObject({ text: 'ls', mode: 'shell' })
})
