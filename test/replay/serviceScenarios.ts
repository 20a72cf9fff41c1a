/** What watchdogs, escalations and task runs go through. */
import { maxRestartPause } from '../../policy/service/service.js'
import { sessionWorkflowId, taskSessionName } from '../../policy/ids.js'
import { failedOutcome } from '../../policy/tasks/tasks.js'
import { defaultTiming } from '../../policy/account/account.js'
import { escalationSignals, watchdogSignals, watchdogUpdates } from '../../workflows/messages.js'
import { TestWatchdog, specOf, startLoop } from '../workflow/harness/testWatchdog.js'
import { readyPlan } from '../workflow/harness/fakeServices.js'
import { hour, minute, type TestPool } from '../workflow/harness/testPool.js'
import type { Scenario } from './scenario.js'

const options = { accounts: ['a'] }

/** A service that only an agent can start again, and its escalation. */
async function escalated(testPool: TestPool) {
  const watchdog = await TestWatchdog.start(testPool, { canStart: false })
  await watchdog.observeTrouble(1, ({ state }) => state === 'escalated')
  return { guarded: watchdog, escalation: watchdog.escalation(1) }
}

const agentTask = (testPool: TestPool) => ({
  ...{ kind: 'agent' as const },
  session: {
    ...{ pool: testPool.name, agent: 'claude-code', model: null, timing: defaultTiming },
    timeout: hour,
  },
})

/** The session that does the work of `garden` is working. */
async function untilAgentWorks(testPool: TestPool): Promise<string> {
  const name = taskSessionName(`${testPool.name}-garden`)
  await testPool.until(
    'the session',
    () => Promise.resolve(testPool.host.processes.has(name)),
    (isThere) => isThere,
  )
  return name
}

export const serviceScenarios: Record<string, Scenario> = {
  'watchdog-restarts': {
    options,
    run: async (testPool) => {
      const watchdog = await TestWatchdog.start(testPool)
      const { observations: sights, starts } = testPool.host.services
      await watchdog.observeTrouble(1, ({ state }) => state === 'restarting')
      await watchdog.observeTrouble(1, () => starts.length === 3)
      sights.push({ kind: 'back' })
      await watchdog.until(({ state }) => state === 'running')
      await watchdog.handle.executeUpdate(watchdogUpdates.check, { args: [] })
      sights.push({ kind: 'rollover' })
      await watchdog.handle.signal(watchdogSignals.configure, specOf(testPool, { every: 5 * minute }))
      await testPool.server.advance(hour)
      return watchdog.handle
    },
  },
  'watchdog-escalates': {
    options,
    run: async (testPool) => {
      const watchdog = await TestWatchdog.start(testPool, {
        restarts: { limit: 1, within: hour, backoff: minute, backoffMax: maxRestartPause },
      })
      testPool.host.services.agents.push({ kind: 'done' })
      await watchdog.observeTrouble(1, ({ restarts }) => restarts === 1)
      await watchdog.observeTrouble(1, ({ incident, state }) => incident === null && state === 'running')
      return watchdog.handle
    },
  },
  'watchdog-notifies': {
    options,
    run: async (testPool) => {
      const watchdog = await TestWatchdog.start(testPool, { canStart: false, wakeUp: null })
      await watchdog.observeTrouble(1, ({ attention }) => attention !== null)
      testPool.host.services.observations.push({ kind: 'back' })
      await watchdog.until(({ incident }) => incident === null)
      return watchdog.handle
    },
  },
  'watchdog-paused-and-retired': {
    options,
    run: async (testPool) => {
      const { guarded } = await escalated(testPool)
      await guarded.handle.signal(watchdogSignals.pause)
      await guarded.until(({ state }) => state === 'paused')
      await guarded.handle.signal(watchdogSignals.resume)
      await guarded.until(({ state }) => state === 'running')
      await guarded.handle.signal(watchdogSignals.retire)
      await guarded.handle.result()
      return guarded.handle
    },
  },
  'escalation-heals': {
    options,
    run: async (testPool) => {
      const { guarded, escalation } = await escalated(testPool)
      const { plans, agents, checks } = testPool.host.services
      plans.push(readyPlan('key'), readyPlan('key'))
      checks.push({ well: false, why: 'it is not there' })
      agents.push(
        { kind: 'failed', why: 'walled' },
        { kind: 'waiting', what: 'permission to run make', transcriptTo: 1 },
        { kind: 'again', transcriptTo: 2 },
        { kind: 'over', why: 'it was not done in time' },
        { kind: 'done' },
      )
      await guarded.until(({ incident }) => incident === null)
      return escalation
    },
  },
  'escalation-rests': {
    options,
    run: async (testPool) => {
      const { plans, checks } = testPool.host.services
      plans.push({ kind: 'none', why: 'medic: walled' }, { kind: 'none', why: 'medic: walled' })
      checks.push({ well: false, why: 'it is not there' })
      const { guarded, escalation } = await escalated(testPool)
      await guarded.untilEscalation(1, ({ attention }) => attention !== null)
      await testPool.server.advance(90_000)
      testPool.host.services.isRecovered = true
      await guarded.until(({ incident }) => incident === null)
      return escalation
    },
  },
  'escalation-called-off': {
    options,
    run: async (testPool) => {
      const { guarded, escalation } = await escalated(testPool)
      await guarded.untilEscalation(1, ({ place }) => place === 'medic')
      await escalation.signal(escalationSignals.ping)
      await escalation.signal(escalationSignals.stop)
      await escalation.result()
      return escalation
    },
  },
  'loop-run': {
    options,
    run: async (testPool) => {
      const run = await startLoop(testPool, 'tick')
      await run.result()
      return run
    },
  },
  'loop-failed': {
    options,
    run: async (testPool) => {
      testPool.host.services.runs.push(failedOutcome('the mail server is gone'))
      const run = await startLoop(testPool, 'inbox', { kind: 'imap', attentionAfter: 1 })
      await run.result().catch(() => undefined)
      return run
    },
  },
  'loop-agent': {
    options,
    run: async (testPool) => {
      const run = await startLoop(testPool, 'garden', agentTask(testPool))
      testPool.host.willObserve(await untilAgentWorks(testPool), { kind: 'turn-ended' })
      await testPool.until(
        'its end',
        () => run.describe(),
        ({ status }) => status.name === 'COMPLETED',
      )
      return run
    },
  },
  'loop-agent-late': {
    options,
    run: async (testPool) => {
      const run = await startLoop(testPool, 'garden', agentTask(testPool))
      const session = testPool.server.client.workflow.getHandle(
        sessionWorkflowId(await untilAgentWorks(testPool)),
      )
      await testPool.server.advance(hour)
      await session.result()
      await testPool.until(
        'its end',
        () => run.describe(),
        ({ status }) => status.name === 'FAILED',
      )
      return run
    },
  },
}
