/** Stopping a session's process, whatever happened to its place meanwhile. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Host } from '../../host/host.js'
import { hostActivities } from '../../activities/index.js'
import { LeaseBatcher } from '../../activities/watch/leaseBatcher.js'
import { Prober } from '../../activities/accounts/probe.js'
import { Sampler } from '../../activities/watch/sampler.js'
import { stopAgent } from '../../activities/session/stop.js'
import { openHome } from '../../config/state/home.js'
import { parseConfig } from '../../config/load/load.js'
import { defaultTiming } from '../../policy/account/account.js'
import type { PlaceRef } from '../../policy/session/place.js'

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
    const { steps } = await stopAgent(host, { ...request, closePane: false, status: 'stopped' })
    expect(steps).toMatchObject([{ name: 'stop (term)' }])
  })
})

describe('a session of a herd that is stopped', () => {
  const never = new AbortController().signal
  const { maxConcurrentMoves } = defaultTiming

  /**
   * As many as are moved at a time, and one that waits behind them. Returns whether that one's turn has come.
   */
  async function herd(): Promise<() => boolean> {
    for (let n = 1; n <= maxConcurrentMoves; n++)
      await host.moveLimiter.acquire(`s${n}`, never, () => undefined)
    let isIn = false
    void host.moveLimiter.acquire('next', never, () => undefined).then(() => (isIn = true))
    return () => isIn
  }

  const stopOf = (session: string, rests: boolean) => {
    const leases = new LeaseBatcher(
      'main',
      () => Promise.resolve([]),
      () => [],
    )
    const activities = hostActivities(host, new Sampler(host), new Prober(host), leases)
    const place: PlaceRef = { kind: 'account', name: 'max-1' }
    const ref = { session, fence: 1, cwd: dir, agent: 'claude-code', sessionId: 'none', place }
    const request = { ...ref, closePane: false, status: '', endsMove: rests }
    return new MockActivityEnvironment().run(() => activities.stopAgent(request))
  }

  it('law 10: because it is parked makes room for the next one at once', async () => {
    const isNextIn = await herd()
    await stopOf('s1', true)
    expect(isNextIn()).toBe(true)
  })

  it('because it is being moved keeps its turn', async () => {
    const isNextIn = await herd()
    await stopOf('s1', false)
    expect(isNextIn()).toBe(false)
  })
})
