/**
 * Law 7: kill the worker at every step of a rescue, and what the rescue depends on; each session ends up
 * running once, with everything said.
 */
import { describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { watchHolders } from '../../lab/machine/holders.js'
import { conversationText } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'
import {
  expectRescued,
  fleet,
  lastAnswered,
  type Point,
  points,
  rescueUpTo,
  shareFleet,
} from '../agent/chaosSupport.js'

describe('the worker is killed with -9 in the middle of a rescue', () => {
  const kills = (Object.keys(points) as Point[]).map((point, index) => ({
    point,
    name: `alpha-${index + 1}`,
  }))
  shareFleet(kills.length + 1)

  it.each(kills)(
    'law 7: when $point, the rescue continues where it was, without a second process',
    async ({ point, name }) => {
      const rescued = await rescueUpTo(point, name)
      const monitor = watchHolders(rescued.sessionId)
      await fleet.down('SIGKILL')
      await fleet.up()
      await expectRescued(rescued)
      expect(monitor.stop()).toEqual([])
    },
  )
})

describe('what the rescue depends on is killed under it', () => {
  shareFleet(2)

  it('law 7: the tmux server vanishes with the agent that starts, and no account is blamed', async () => {
    const rescued = await rescueUpTo('the launch was handed out', 'echo')
    const monitor = watchHolders(rescued.sessionId)
    const inPane = (): string => fleet.tmux('list-panes', '-t', '=echo:', '-F', '#{pane_pid}').trim()
    await until(
      'the next process in the pane',
      () => Promise.resolve(inPane()),
      (pid) => pid !== String(rescued.pid),
    )
    fleet.tmux('kill-server')
    await expectRescued(rescued)
    expect(monitor.stop()).toEqual([])
  })

  it('law 7: worker and engine die together while all is quiet, and no live agent is started again', async () => {
    await fleet.run('start', 'delta', '--cwd', fleet.world.cwd, '--', 'Hello.')
    const before = await fleet.untilSession('delta', ({ phase }) => phase === 'idle')
    process.kill(readEngine(openHome(fleet.env))!.pid!, 'SIGKILL')
    await fleet.down('SIGKILL')
    await fleet.up()
    const after = await fleet.untilSession('delta', ({ phase }) => phase === 'idle')
    expect(after.pid).toBe(before.pid)
    expect(after.rescueLog).toEqual([])
    await fleet.run('send', 'delta', 'Still there?')
    await until(
      'an answer',
      () => Promise.resolve(lastAnswered(after.sessionId)),
      (request) => request !== undefined && conversationText(request).includes('Still there?'),
    )
  })
})
