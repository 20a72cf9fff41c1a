/**
 * What a person is notified of during an incident, and how it goes on meanwhile. On a server in real time:
 * nothing here takes long.
 */
import { tsToMs } from '@temporalio/common/lib/time.js'
import { describe, expect, it } from 'vitest'
import { maxEscalationPause } from '../../policy/service/service.js'
import type { VerifyResult } from '../../activities/services/contracts.js'
import { TestWatchdog } from './harness/testWatchdog.js'
import { minute, second, type TestPool } from './harness/testPool.js'
import { TestServer } from './harness/testServer.js'
import { useTestPool } from './harness/useTestPool.js'
import { until } from '../../lab/until.js'

const open = useTestPool(() => TestServer.openWallClock())

const notices = {
  ...{ channels: ['me'], settleFor: 0, retryEvery: minute, retryMaxInterval: minute, giveUpAfter: minute },
}
/** A failing service, until its incident and its escalation are over. */
async function untilOver(testPool: TestPool, retryEvery: number): Promise<TestWatchdog> {
  testPool.host.services.observations.push({
    kind: 'trouble',
    verdict: 'missing',
    why: 'it ended',
    incident: 1,
  })
  // Only an agent can start it again.
  const watchdog = await TestWatchdog.start(testPool, {
    canStart: false,
    wakeUp: { retryEvery, retryMaxInterval: maxEscalationPause },
  })
  await until(
    'the end of the escalation',
    () => watchdog.escalation(1).describe(),
    ({ status }) => status.name === 'COMPLETED',
  )
  await until(
    'the end of the incident',
    () => watchdog.card(),
    ({ incident, state }) => incident === null && state === 'running',
  )
  return watchdog
}

const untilTold = async (testPool: TestPool): Promise<string[]> => {
  const sent = await until(
    'the notice',
    () => Promise.resolve(testPool.host.sentNotices),
    ({ length }) => length > 0,
  )
  return sent.map(({ notice }) => notice.text)
}

describe('a person', () => {
  it('law 10: hears once that the woken agent asks something, whichever agent asks and however often', async () => {
    const testPool = await open({ accounts: ['a'], notices })
    const { agents, checks } = testPool.host.services
    const asks = { kind: 'waiting' as const, what: 'permission to run make', transcriptTo: 1 }
    const goesOn = { kind: 'again' as const, transcriptTo: 1 }
    agents.push(asks, goesOn, asks, goesOn, { kind: 'done' }, asks, goesOn, { kind: 'done' })
    checks.push({ well: false, why: 'it is not there' })
    await untilOver(testPool, minute)
    const texts = await untilTold(testPool)
    expect(agents.isEmpty).toBe(true)
    expect(texts).toHaveLength(1)
    expect(texts[0]).toMatch(/asks: permission to run make; answer it with outpool attach outpool-wakeup-1/)
  })

  it('law 10: hears once that no agent could help; the escalation keeps trying, later each time, until an agent heals', async () => {
    const testPool = await open({ accounts: ['a'], notices })
    const { plans, checks, agents } = testPool.host.services
    const noPlace = { kind: 'none' as const, why: 'medic: walled' }
    const rounds = 3
    plans.push(...Array<typeof noPlace>(rounds).fill(noPlace))
    agents.push({ kind: 'done' })
    // Each round ends with a restart, and a check whether that was enough.
    checks.push(...Array<VerifyResult>(rounds).fill({ well: false, why: 'it is not there' }))
    const watchdog = await untilOver(testPool, second)
    const texts = await untilTold(testPool)
    expect(plans.isEmpty).toBe(true)
    expect(texts).toHaveLength(1)
    expect(texts[0]).toMatch(/no agent could be woken to help: medic: walled/)
    const { events } = await watchdog.escalation(1).fetchHistory()
    const pauses = (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) =>
      timer ? [tsToMs(timer.startToFireTimeout)] : [],
    )
    expect(pauses).toHaveLength(rounds)
    // Each is twice the one before, less the jitter that spreads a herd.
    for (const [n, pause] of pauses.entries()) expect(pause).toBeGreaterThan(0.79 * second * 2 ** n)
  })
})
