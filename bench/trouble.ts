/**
 * The laws at full size: the engine killed in the middle of a herd; every account spent, and then one back.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../lab/until.js'
import { Arrivals } from './arrivals.js'
import type { Measure, Row } from './harness.js'
import { type Herd, lastOf, openHerd } from './herdRun.js'

const usualSessions = 500
const patience = 30 * 60_000
/** Time enough for all to be parked before the first account is back. */
const resetsIn = (sessions: number): number => 60_000 + 400 * sessions
/** Any session that would start in excess of the room has done so by then. */
const settled = 20_000

export const trouble: Measure = {
  name: 'trouble',
  description: 'a fleet in trouble, light agents',
  runs: 1,
  run: async ({ sessions: requested }) => {
    const sessions = requested ?? usualSessions
    const herd = await openHerd(sessions)
    try {
      const killed = await engineKilled(herd)
      return { sessions, aims: usualSessions, rows: [...killed, ...(await oneBack(herd))] }
    } finally {
      await herd.close()
    }
  },
}

const zeroRow = (description: string, count: number): Row => ({
  ...{ description, unit: 'count', product: [count], floor: [], goal: { atMost: 0 } },
})
const durationRow = (description: string, seconds: number): Row => ({
  ...{ description, unit: 's', product: [seconds], floor: [], goal: null },
})

async function engineKilled(herd: Herd): Promise<Row[]> {
  const whole = herd.run({ withLs: false })
  await until(
    'a part of the herd',
    () => Promise.resolve(herd.moved().length),
    (moved) => moved >= herd.sessions / 5,
    patience,
  )
  const [run] = await Promise.all([whole, herd.stub.killEngine()])
  const what = `${herd.sessions} sessions walled at once, the engine killed when a fifth had moved`
  return [
    durationRow(`${what} → last one running`, lastOf(run) / 1000),
    zeroRow(`${what}: sessions started twice`, run.doubles),
    zeroRow(`${what}: sessions beyond their account’s limit`, run.aboveLimit),
  ]
}

async function oneBack(herd: Herd): Promise<Row[]> {
  const { stub, sessions, free, used, limit } = herd
  const [back = ''] = used
  for (const account of free) stub.wall(account)
  await stub.untilState((account) => (free.includes(account) ? 'walled' : 'ready'))
  const walledAt = performance.now()
  herd.wallAll({ [back]: resetsIn(sessions) })
  await until(
    'every session parked',
    () => parked(herd),
    (count) => count === sessions,
    patience,
  )
  const parkedFor = performance.now() - walledAt
  const remaining = herd.agents().length + herd.moved().length

  const here = (): number => stub.agents([back]).length
  const arrivals = new Arrivals([...used, ...free].map((account) => stub.configDir(account)))
  const backAt = performance.now()
  stub.unwall(back)
  await until(
    'the account that is back to be full',
    () => Promise.resolve(here()),
    (count) => count >= limit,
    patience,
  )
  const backFor = performance.now() - backAt
  await delay(settled)
  arrivals.close()
  const what = `${sessions} sessions parked, one account of ${limit} back`
  return [
    durationRow(`every account walled at once → all ${sessions} sessions parked`, parkedFor / 1000),
    zeroRow('agents that still ran when all were parked', remaining),
    durationRow(`${what}: free again → a probe has found it, and it is full`, backFor / 1000),
    zeroRow(`${what}: sessions beyond its limit`, Math.max(0, arrivals.all.size - limit)),
    zeroRow(`${what}: sessions started twice`, arrivals.all.size - arrivals.sessions),
  ]
}

async function parked({ stub }: Herd): Promise<number> {
  const rows = await stub.fleet.json<{ phase: string }[]>('ls')
  return rows.filter(({ phase }) => phase === 'parked').length
}
