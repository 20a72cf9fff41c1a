/**
 * The engine out of reach while an account is walled: how long after it answers again the replacement process runs. Real
 * program; the connection is refused, as by an engine that is down, or silent, as with an unplugged cable.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { BreakableProxy } from '../lab/engine/breakableProxy.js'
import { devServer } from '../lab/engine/engine.js'
import { type Fleet, startFleet } from '../lab/fleet.js'
import { until } from '../lab/until.js'
import type { Measure } from './harness.js'

/** Longer than Temporal's library retries a result, and than the pauses of its pollers become. Milliseconds. */
const awayMs = 1_000 * Number(process.env['OUTPOOL_AWAY_SECONDS'] ?? 15)
const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

const ways = {
  refused: (cable: BreakableProxy) => cable.cut(),
  silent: (cable: BreakableProxy) => cable.stall(),
}

export const outage: Measure = {
  name: 'outage',
  description: 'a wall while the engine is out of reach',
  runs: 3,
  run: async ({ runs }) => {
    const accounts = Array.from({ length: 2 * runs + 1 }, (_, index) => `a-${index + 1}`)
    const server = await devServer()
    const cable = await BreakableProxy.open(server.address)
    const fleet = await startFleet({ accounts })
    try {
      fleet.env['TEMPORAL_ADDRESS'] = cable.address
      for (const name of accounts)
        fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
      await fleet.up()
      // A probe of an account that was never read is no part of an outage.
      await fleet.untilRead()
      const seconds: Record<keyof typeof ways, number[]> = { refused: [], silent: [] }
      for (let run = 0; run < runs; run++)
        for (const [offset, way] of (['refused', 'silent'] as const).entries())
          seconds[way].push(await measureOutage(fleet, cable, way, accounts[2 * run + offset] ?? ''))
      return {
        rows: (['refused', 'silent'] as const).map((way) => ({
          description: `one session walled while the engine was away for ${awayMs / 1000} s, its connection ${way}: it answers again → replacement process running`,
          ...{ unit: 's' as const, product: seconds[way], floor: [], goal: { atMost: 5 } },
        })),
      }
    } finally {
      await fleet.close()
      await cable.close()
      await server.stop()
    }
  },
}

/** One outage, during which a session started for it hits the wall of this account. */
async function measureOutage(
  fleet: Fleet,
  cable: BreakableProxy,
  way: keyof typeof ways,
  account: string,
): Promise<number> {
  const name = `${way}-${account}`
  const { standIn, cwd } = fleet.world
  await fleet.run('start', name, '--cwd', cwd, '--account', account, '--', 'Hello')
  const { sessionId } = await fleet.untilSession(
    name,
    ({ phase, account: on }) => phase === 'idle' && on === account,
  )
  const pid = (): string =>
    fleet.tmux('display-message', '-p', '-t', `=${name}:`, '#{pane_pid} #{pane_dead}').trim()
  const before = pid()
  ways[way](cable)
  standIn.account(account).wall('five_hour', hours(3))
  fleet.tmux('send-keys', '-t', `=${name}:`, '-l', 'Go on.')
  fleet.tmux('send-keys', '-t', `=${name}:`, 'Enter')
  await standIn.waitForRequest((request) => request.sessionId === sessionId && request.outcome === 'walled')
  await delay(awayMs)
  const from = performance.now()
  cable.restore()
  await until(
    'the replacement process',
    () => Promise.resolve(pid()),
    (now) => now !== before && now.endsWith(' 0'),
  )
  const seconds = (performance.now() - from) / 1000
  await fleet.untilSession(name, ({ phase, rescues }) => phase === 'idle' && rescues === 1)
  await fleet.run('stop', name)
  return seconds
}
