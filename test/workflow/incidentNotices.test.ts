/** What a person hears of an incident, and how it goes on meanwhile. On a server whose time is real: nothing here takes long. */
import { tsToMs } from '@temporalio/common/lib/time.js'
import { describe, expect, it } from 'vitest'
import { longestCallPause } from '../../policy/service/service.js'
import type { Verified } from '../../activities/services/contracts.js'
import { Guarded } from './harness/guarding.js'
import { minute, second, type Stage } from './harness/stage.js'
import { Theatre } from './harness/theatre.js'
import { useStage } from './harness/useStage.js'
import { until } from '../../lab/until.js'

const open = useStage(() => Theatre.openReal())

const notices = {
  ...{ channels: ['me'], settle: 0, retryEvery: minute, retryAtMost: minute, giveUpAfter: minute },
}
/** A service in trouble, from then on until its incident and the escalation of it are over. */
async function untilOver(stage: Stage, retryEvery: number): Promise<Guarded> {
  stage.host.services.sights.then({ kind: 'trouble', verdict: 'missing', why: 'it ended', incident: 1 })
  // Only an agent can get it up again.
  const guarded = await Guarded.start(stage, {
    canStart: false,
    wakeUp: { retryEvery, retryAtMost: longestCallPause },
  })
  await until(
    'the end of the escalation',
    () => guarded.escalation(1).describe(),
    ({ status }) => status.name === 'COMPLETED',
  )
  await until(
    'the end of the incident',
    () => guarded.card(),
    ({ incident, state }) => incident === null && state === 'running',
  )
  return guarded
}

const untilTold = async (stage: Stage): Promise<string[]> => {
  const told = await until(
    'the notice',
    () => Promise.resolve(stage.host.told),
    ({ length }) => length > 0,
  )
  return told.map(({ notice }) => notice.text)
}

describe('a person', () => {
  it('law 10: hears once that the woken agent asks something, whoever of its agents asks how often', async () => {
    const stage = await open({ accounts: ['a'], notices })
    const { agents, checks } = stage.host.services
    const asks = { kind: 'waiting' as const, what: 'permission to run make', transcriptTo: 1 }
    const goesOn = { kind: 'again' as const, transcriptTo: 1 }
    agents.then(asks, goesOn, asks, goesOn, { kind: 'done' }, asks, goesOn, { kind: 'done' })
    checks.then({ well: false, why: 'it is not there' })
    await untilOver(stage, minute)
    const told = await untilTold(stage)
    expect(agents.isEmpty).toBe(true)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/asks: permission to run make; answer it with outpool attach outpool-wakeup-1/)
  })

  it('law 10: hears once that nobody could help; it goes on trying, later each time, until an agent heals', async () => {
    const stage = await open({ accounts: ['a'], notices })
    const { plans, checks, agents } = stage.host.services
    const nobody = { kind: 'nobody' as const, why: 'medic: walled' }
    const rounds = 3
    plans.then(...Array<typeof nobody>(rounds).fill(nobody))
    agents.then({ kind: 'done' })
    // Each round ends with a start, and a look whether that was enough.
    checks.then(...Array<Verified>(rounds).fill({ well: false, why: 'it is not there' }))
    const guarded = await untilOver(stage, second)
    const told = await untilTold(stage)
    expect(plans.isEmpty).toBe(true)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/nobody could be woken to help: medic: walled/)
    const { events } = await guarded.escalation(1).fetchHistory()
    const pauses = (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) =>
      timer ? [tsToMs(timer.startToFireTimeout)] : [],
    )
    expect(pauses).toHaveLength(rounds)
    // Each twice the one before, less what is taken off to part a herd.
    for (const [n, pause] of pauses.entries()) expect(pause).toBeGreaterThan(0.79 * second * 2 ** n)
  })
})
