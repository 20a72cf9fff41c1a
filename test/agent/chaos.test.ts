/**
 * Law 7: kill the worker, the engine or tmux in the middle of a rescue; each session ends up running once, with everything said.
 * Every other point, and all of them together, in `test/nightly/chaos.test.ts`; those of an
 * adoption in `test/nightly/adoptKilled.test.ts`.
 */
import { describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { watchHolders } from '../../lab/machine/holders.js'
import { expectRescued, fleet, rescueUpTo, shareFleet } from './chaosSupport.js'

describe('what a rescue depends on is killed under it', () => {
  shareFleet(4)

  it('law 7: the worker is killed when the conversation is carried, and the rescue goes on without a second process', async () => {
    const rescued = await rescueUpTo('the conversation is carried', 'alpha')
    const monitor = watchHolders(rescued.sessionId)
    await fleet.down('SIGKILL')
    await fleet.up()
    await expectRescued(rescued)
    expect(monitor.stop()).toEqual([])
  })

  it('law 7: the engine comes back by itself, and the rescue goes on', async () => {
    const rescued = await rescueUpTo('the launch was handed out', 'bravo')
    const monitor = watchHolders(rescued.sessionId)
    process.kill(readEngine(openHome(fleet.env))!.pid!, 'SIGKILL')
    await expectRescued(rescued)
    expect(monitor.stop()).toEqual([])
  })

  it('law 7: the tmux server vanishes, and the session is started again', async () => {
    const rescued = await rescueUpTo('the old process is stopped', 'charlie')
    const monitor = watchHolders(rescued.sessionId)
    fleet.tmux('kill-server')
    await expectRescued(rescued)
    expect(monitor.stop()).toEqual([])
  })
})
