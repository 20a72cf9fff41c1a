/** Ending a session's process, whatever has become of its place meanwhile. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Host } from '../../activities/host.js'
import { stopAgent } from '../../activities/stop.js'
import { openHome } from '../../config/home.js'
import { parseConfig } from '../../config/loadConfig.js'
import type { PlaceRef } from '../../policy/place.js'

let dir: string
let host: Host
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-stop-'))
  mkdirSync(join(dir, 'max-1'))
  const account = `{ name: max-1, configDir: ${join(dir, 'max-1')}, env: { TOKEN: { fromEnv: NOT_SET_ANYWHERE } } }`
  const config = parseConfig(`pool: { accounts: [${account}] }`, join(dir, 'outpool.yaml'), {})
  host = new Host(openHome({ OUTPOOL_HOME: join(dir, 'state') }), config)
})
afterEach(async () => {
  host.tmux.close()
  await execa('tmux', ['-S', host.home.tmuxSocket, 'kill-server'], { reject: false })
  rmSync(dir, { recursive: true, force: true })
})

describe('law 6: a process can be stopped', () => {
  const places: [string, PlaceRef][] = [
    ['of an account that the configuration no longer names', { kind: 'account', name: 'gone' }],
    ['of a substrate that the configuration no longer names', { kind: 'substrate', name: 'gone' }],
    ['of an account whose secret cannot be had', { kind: 'account', name: 'max-1' }],
  ]
  it.each(places)('%s', async (_what, place) => {
    const ref = { session: 'alpha', fence: 1, cwd: dir }
    await host.tmux.spawn({ ...ref, argv: ['/bin/cat'], status: '', hold: ['/bin/cat'] })
    const request = { ...ref, agent: 'claude-code', sessionId: '7da1d9f0-0000-4000-8000-000000000000', place }
    const { steps } = await stopAgent(host, { ...request, closePane: false, status: 'stopped' }, false)
    expect(steps).toMatchObject([{ name: 'stop (term)' }])
  })
})
