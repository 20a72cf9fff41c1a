/**
 * Days of the watchdog with each minute shortened: seeded failures of the service, of the agents and of the
 * worker, checked by an oracle.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxEscalationPause, maxRestartPause, type ServiceSpec } from '../../policy/service/service.js'
import { until } from '../../lab/until.js'
import { share } from '../../policy/backoff.js'
import { commonQueue, escalationWorkflowId, watchdogWorkflowId } from '../../policy/ids.js'
import { watchdogQueries, watchdogSignals, type WatchdogView } from '../../workflows/messages.js'
import { TestServer } from './harness/testServer.js'
import { type Agent, type Fault, minute, SimulatedService } from './simulatedService.js'

const hour = 60 * minute
const day = 24 * hour

let testServer: TestServer
beforeAll(async () => {
  testServer = await TestServer.openWallClock()
})
afterAll(() => testServer.close())

const specOf = (world: SimulatedService, name: string): ServiceSpec => ({
  ...{ name, host: world.hostId, pool: 'none', every: world.every, canStart: true },
  ...{
    restarts: { limit: 3, within: hour, backoff: minute, backoffMax: maxRestartPause },
    wakeUp: { retryEvery: 10 * minute, retryMaxInterval: maxEscalationPause },
  },
})

async function start(world: SimulatedService, name: string) {
  const worker = await testServer.addHost(world)
  const handle = await testServer.client.workflow.start('watchdog', {
    ...{ workflowId: watchdogWorkflowId(name), taskQueue: commonQueue, args: [specOf(world, name)] },
  })
  const card = () => testServer.client.workflow.getHandle(handle.workflowId).query(watchdogQueries.describe)
  return { handle: testServer.client.workflow.getHandle(handle.workflowId), card, worker }
}

/** A seeded choice: the same week each time. */
const pick = <T>(seed: string, from: readonly T[]): T => from[Math.floor(share(seed) * from.length)]!

function planOf(seed: string, begin: number): { faults: Fault[]; agents: Agent[] } {
  const at = (n: number): number => begin + Math.floor(share(`${seed} when ${n}`) * day)
  // Agents are started later each time within a real day, so few failures may need one.
  const faults = Array.from({ length: 12 }, (_, n): Fault => ({
    at: at(n),
    kind: n < 3 ? 'broken' : pick(`${seed} what ${n}`, ['exit', 'hang']),
  }))
  const agents = Array.from({ length: 100 }, (_, n) =>
    pick(`${seed} agent ${n}`, ['heals', 'heals', 'wrong', 'walled', 'late'] as const),
  )
  return { faults, agents }
}

describe('seeded faults', () => {
  it.each(['one'])('law 7, 10: seed %s: nothing runs twice, and nothing stays down', async (seed) => {
    const { faults, agents } = planOf(seed, Date.now())
    const world = new SimulatedService(`host-${seed}`, faults, agents)
    const { card, handle, worker } = await start(world, `days-${seed}`)
    let rounds = 0
    await until(
      `the end of ${seed}`,
      async () => {
        rounds += 1
        // A worker dies right after a step whose answer is lost; the history is cut at any moment.
        if (rounds % 20 === 0) world.answersLost = 1
        if (rounds % 50 === 0) await handle.signal(watchdogSignals.migrate)
        return { card: await card(), left: world.faultsLeft, down: world.isDown }
      },
      ({ card: { state, incident }, left, down }) =>
        left === 0 && !down && state === 'running' && incident === null,
      110_000,
    )
    expect(world.violations).toEqual([])
    expect(world.downs.filter(({ to }) => to === null)).toEqual([])
    expect(world.downs.length).toBeGreaterThan(5)
    await handle.terminate()
    await worker.close()
  })
})

describe('one escalation per incident', () => {
  it('law 2, 7: goes on while the watchdog is renewed, paused and queried, and a pause cancels its agent', async () => {
    const world = new SimulatedService('host-one', [{ at: Date.now(), kind: 'broken' }], ['wrong', 'wrong'])
    // The agent works for a while.
    world.agentTakesMs = 60_000
    const { card, handle, worker } = await start(world, 'one')
    const untilCard = (what: string, wanted: (now: WatchdogView) => boolean) => until(what, card, wanted)
    const { incident } = await untilCard('the escalation', ({ state }) => state === 'escalated')
    await until(
      'an agent',
      () => Promise.resolve(world.woken.length),
      (count) => count === 1,
    )
    const escalation = testServer.client.workflow.getHandle(escalationWorkflowId('one', incident!))
    await handle.signal(watchdogSignals.migrate)
    await untilCard('the new run', ({ state }) => state === 'escalated')
    expect((await escalation.describe()).status.name).toBe('RUNNING')
    await handle.signal(watchdogSignals.pause)
    await untilCard('the pause', ({ state }) => state === 'paused')
    await escalation.result()
    const { length } = world.starts
    world.agentTakesMs = 5 * minute
    await handle.signal(watchdogSignals.resume)
    expect(world.starts).toHaveLength(length)
    const well = await untilCard(
      'the end of it',
      ({ state, incident: open }) => state === 'running' && open === null,
    )
    expect(well.restarts).toBe(0)
    expect(world.violations).toEqual([])
    await handle.terminate()
    await worker.close()
  })
})
