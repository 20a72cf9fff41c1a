/** What watchdogs, escalations and runs of tasks live through. */
import { longestRest } from '../../policy/service/service.js'
import { sessionWorkflowId, taskSession } from '../../policy/ids.js'
import { failed } from '../../policy/tasks/tasks.js'
import { defaultTiming } from '../../policy/account/account.js'
import { escalationSignals, watchdogSignals, watchdogUpdates } from '../../workflows/messages.js'
import { Guarded, specOf, startLoop } from '../workflow/harness/guarding.js'
import { able } from '../workflow/harness/serviceSide.js'
import { hour, minute, type Stage } from '../workflow/harness/stage.js'
import type { Scenario } from './scenario.js'

const options = { accounts: ['a'] }

/** A service that only an agent can get up again, and its escalation. */
async function handedOver(stage: Stage) {
  const guarded = await Guarded.start(stage, { canStart: false })
  await guarded.trouble(1, ({ state }) => state === 'escalated')
  return { guarded, escalation: guarded.escalation(1) }
}

const agentTask = (stage: Stage) => ({
  ...{ kind: 'agent' as const },
  session: {
    ...{ pool: stage.pool, agent: 'claude-code', model: null, timing: defaultTiming },
    timeout: hour,
  },
})

/** The session that does the work of `garden` is at work. */
async function untilAtWork(stage: Stage): Promise<string> {
  const name = taskSession(`${stage.pool}-garden`)
  await stage.until(
    'the session',
    () => Promise.resolve(stage.host.processes.has(name)),
    (isThere) => isThere,
  )
  return name
}

export const serviceScenarios: Record<string, Scenario> = {
  'watchdog-restarts': {
    options,
    play: async (stage) => {
      const guarded = await Guarded.start(stage)
      const { sights, starts } = stage.host.services
      await guarded.trouble(1, ({ state }) => state === 'restarting')
      await guarded.trouble(1, () => starts.length === 3)
      sights.then({ kind: 'back' })
      await guarded.until(({ state }) => state === 'running')
      await guarded.handle.executeUpdate(watchdogUpdates.check, { args: [] })
      sights.then({ kind: 'rollover' })
      await guarded.handle.signal(watchdogSignals.configure, specOf(stage, { every: 5 * minute }))
      await stage.theatre.pass(hour)
      return guarded.handle
    },
  },
  'watchdog-hands-over': {
    options,
    play: async (stage) => {
      const guarded = await Guarded.start(stage, {
        restarts: { limit: 1, within: hour, pause: minute, pauseAtMost: longestRest },
      })
      stage.host.services.agents.then({ kind: 'done' })
      await guarded.trouble(1, ({ restarts }) => restarts === 1)
      await guarded.trouble(1, ({ incident, state }) => incident === null && state === 'running')
      return guarded.handle
    },
  },
  'watchdog-tells': {
    options,
    play: async (stage) => {
      const guarded = await Guarded.start(stage, { canStart: false, wakeUp: null })
      await guarded.trouble(1, ({ attention }) => attention !== null)
      stage.host.services.sights.then({ kind: 'back' })
      await guarded.until(({ incident }) => incident === null)
      return guarded.handle
    },
  },
  'watchdog-paused-and-retired': {
    options,
    play: async (stage) => {
      const { guarded } = await handedOver(stage)
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
    play: async (stage) => {
      const { guarded, escalation } = await handedOver(stage)
      const { plans, agents, checks } = stage.host.services
      plans.then(able('key'), able('key'))
      checks.then({ well: false, why: 'it is not there' })
      agents.then(
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
    play: async (stage) => {
      const { plans, checks } = stage.host.services
      plans.then({ kind: 'nobody', why: 'medic: walled' }, { kind: 'nobody', why: 'medic: walled' })
      checks.then({ well: false, why: 'it is not there' })
      const { guarded, escalation } = await handedOver(stage)
      await guarded.untilEscalation(1, ({ attention }) => attention !== null)
      await stage.theatre.pass(90_000)
      stage.host.services.isBack = true
      await guarded.until(({ incident }) => incident === null)
      return escalation
    },
  },
  'escalation-called-off': {
    options,
    play: async (stage) => {
      const { guarded, escalation } = await handedOver(stage)
      await guarded.untilEscalation(1, ({ place }) => place === 'medic')
      await escalation.signal(escalationSignals.ping)
      await escalation.signal(escalationSignals.stop)
      await escalation.result()
      return escalation
    },
  },
  'loop-run': {
    options,
    play: async (stage) => {
      const run = await startLoop(stage, 'tick')
      await run.result()
      return run
    },
  },
  'loop-failed': {
    options,
    play: async (stage) => {
      stage.host.services.runs.then(failed('the mail server is gone'))
      const run = await startLoop(stage, 'inbox', { kind: 'imap', attentionAfter: 1 })
      await run.result().catch(() => undefined)
      return run
    },
  },
  'loop-agent': {
    options,
    play: async (stage) => {
      const run = await startLoop(stage, 'garden', agentTask(stage))
      stage.host.sees(await untilAtWork(stage), { kind: 'turn-ended' })
      await stage.until(
        'its end',
        () => run.describe(),
        ({ status }) => status.name === 'COMPLETED',
      )
      return run
    },
  },
  'loop-agent-late': {
    options,
    play: async (stage) => {
      const run = await startLoop(stage, 'garden', agentTask(stage))
      const session = stage.theatre.client.workflow.getHandle(sessionWorkflowId(await untilAtWork(stage)))
      await stage.theatre.pass(hour)
      await session.result()
      await stage.until(
        'its end',
        () => run.describe(),
        ({ status }) => status.name === 'FAILED',
      )
      return run
    },
  },
}
