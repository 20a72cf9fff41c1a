/** What the recorded workflows live through: every kind of life that they can have, on the real code. */
import { poolSignals } from '../../workflows/messages.js'
import { declaredBy, drillReport, startDrill } from '../workflow/harness/drillSide.js'
import { hour, minute, Stage, type StageOptions } from '../workflow/harness/stage.js'
import type { Theatre } from '../workflow/harness/theatre.js'
import type { Scenario } from './scenario.js'
import { serviceScenarios } from './serviceScenarios.js'
import { LaunchFailedError } from '../../activities/errors.js'
import { failureFrom } from '../../activities/failures.js'
import { UnknownPlaceError } from '../../host/errors.js'

const two: StageOptions = { accounts: ['a', 'b'] }

const rescued: Scenario = {
  options: { accounts: ['a', 'b', 'c'] },
  play: async (stage) => {
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    stage.host.accounts.get('c')!.used = 0.5
    stage.host.fails(
      'launchAgent',
      failureFrom(new LaunchFailedError('it ended at its start')),
      (name) => name === 'b',
    )
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'c')
    return stage.handle(session)
  },
}

const awayAndHome: Scenario = {
  options: { accounts: ['a'], substrates: ['key'] },
  play: async (stage) => {
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    await stage.hitsWall(session, 'a', hour)
    await stage.untilAway(session, 'key')
    stage.host.lookEvery = 5 * minute
    await stage.until(
      'the call home',
      () => Promise.resolve(stage.host.calledHome.has(session)),
      (called) => called,
      2 * hour,
      10 * minute,
    )
    stage.host.sees(session, { kind: 'ready-for-home' })
    await stage.untilOn(session, 'a', hour, minute)
    await stage.send(session, '1', 'a text')
    await stage.theatre.pass(minute)
    return stage.handle(session)
  },
}

const parkedAndWoken: Scenario = {
  options: { accounts: ['a'] },
  play: async (stage) => {
    const session = await stage.up('one')
    await stage.hitsWall(session, 'a', hour)
    await stage.untilSession(session, ({ phase }) => phase === 'parked')
    await stage.send(session, '1', 'a text')
    await stage.untilOn(session, 'a', 2 * hour, minute)
    return stage.handle(session)
  },
}

const herd: Scenario = {
  options: { accounts: ['a', 'b', 'c'], specs: { c: { maxSessions: 3 } } },
  play: async (stage) => {
    const names = await Promise.all(['1', '2', '3', '4', '5', '6'].map((name) => stage.start(name)))
    for (const name of names) await stage.untilSession(name, ({ phase }) => phase === 'working')
    const { account } = await stage.show(names[0]!)
    for (const name of names)
      if ((await stage.show(name)).account === account) await stage.hitsWall(name, account!)
    for (const name of names)
      await stage.untilSession(name, (now) => now.phase === 'working' && now.account !== account)
    await stage.order(names[0]!, 'stop')
    await stage.handle(names[0]!).result()
    return stage.poolHandle
  },
}

/** By the name of the file that holds the recording. */
export const scenarios: Record<string, Scenario> = {
  'session-quiet': {
    options: two,
    play: async (stage) => {
      const session = await stage.up('one', { prompt: 'begin' })
      stage.host.lookEvery = hour
      await stage.send(session, '1', 'a text')
      await stage.theatre.pass(6 * hour)
      return stage.handle(session)
    },
  },
  'session-rescued': rescued,
  'session-away-and-home': awayAndHome,
  'session-parked-and-woken': parkedAndWoken,
  'session-moved': {
    options: two,
    play: async (stage) => {
      const session = await stage.up('one', { account: 'a' })
      await stage.move(session, { to: 'b' })
      await stage.untilOn(session, 'b')
      stage.host.accounts.get('b')!.used = 0.97
      stage.host.sees(session, { kind: 'near-limit', why: 'b at 97 %', wall: null })
      await stage.untilOn(session, 'a')
      await stage.order(session, 'pause')
      await stage.untilSession(session, ({ phase }) => phase === 'paused')
      await stage.order(session, 'resume')
      await stage.untilOn(session, 'a')
      return stage.handle(session)
    },
  },
  'session-crashed': {
    options: two,
    play: async (stage) => {
      const session = await stage.up('one', { account: 'a' })
      for (const n of [1, 2, 3]) {
        stage.host.sees(session, { kind: 'exited', how: 'signal 11', byPerson: false })
        await stage.untilSession(
          session,
          ({ rescueLog, phase }) => rescueLog.length === n && phase === 'working',
        )
      }
      await stage.sees(session, { kind: 'transient', text: 'Overloaded' })
      await stage.theatre.pass(5 * minute)
      return stage.handle(session)
    },
  },
  'session-login-lost': {
    options: two,
    play: async (stage) => {
      const session = await stage.up('one', { account: 'a' })
      stage.host.accounts.get('a')!.login = 'out'
      stage.host.sees(session, { kind: 'login', text: 'Please run /login' })
      await stage.untilOn(session, 'b')
      await stage.sees(session, { kind: 'waiting', what: 'permission to run make' })
      await stage.sees(session, { kind: 'not-waiting' })
      return stage.handle(session)
    },
  },
  'session-unwatched': {
    options: two,
    play: async (stage) => {
      const session = await stage.up('one', { account: 'a' })
      for (const tried of [1, 2]) {
        stage.host.fails('watchAgent', failureFrom(new UnknownPlaceError('a')))
        await stage.untilSession(session, ({ attention }) => attention !== null)
        if (tried === 1) await stage.untilSession(session, ({ attention }) => attention === null)
      }
      await stage.order(session, 'stop')
      await stage.handle(session).result()
      return stage.handle(session)
    },
  },
  'session-renewed': {
    options: two,
    play: async (stage) => {
      const session = await stage.up('one', { account: 'a' })
      const { runId, workflowId } = await stage.handle(session).describe()
      await stage.untilLong(stage.handle(session), () => stage.order(session, 'resume'))
      await stage.hitsWall(session, 'a')
      await stage.untilOn(session, 'b')
      await stage.untilRenewed(stage.handle(session), runId)
      return stage.theatre.client.workflow.getHandle(workflowId, runId)
    },
  },
  'pool-renewed': {
    options: two,
    play: async (stage) => {
      await stage.up('one', { account: 'a' })
      stage.host.lookEvery = hour
      const { runId, workflowId } = await stage.poolHandle.describe()
      await stage.untilLong(stage.poolHandle, () => stage.poolHandle.signal(poolSignals.lift, 'nobody'))
      await stage.untilRenewed(stage.poolHandle, runId, 7 * hour, hour)
      return stage.theatre.client.workflow.getHandle(workflowId, runId)
    },
  },
  'session-stopped': {
    options: two,
    play: async (stage) => {
      const session = await stage.up('one')
      await stage.order(session, 'stop')
      await stage.handle(session).result()
      return stage.handle(session)
    },
  },
  'pool-herd': herd,
  'pool-probes': {
    options: two,
    play: async (stage) => {
      for (const account of stage.host.accounts.values()) account.isRead = false
      stage.host.accounts.get('a')!.isSilent = true
      await stage.up('one', { account: 'a' })
      await stage.up('two', { account: 'b' })
      return stage.poolHandle
    },
  },
  'pool-parks': {
    options: { accounts: ['a'], specs: { a: { maxSessions: 1 } } },
    play: async (stage) => {
      const session = await stage.up('one')
      const next = await stage.start('two')
      await stage.hitsWall(session, 'a', hour)
      await stage.untilSession(next, ({ phase }) => phase === 'parked')
      await stage.until(
        'one of them to be up again',
        () => Promise.all([stage.show(session), stage.show(next)]),
        (both) => both.some(({ phase }) => phase === 'working'),
        3 * hour,
        minute,
      )
      return stage.poolHandle
    },
  },
  'drill-away-and-home': {
    options: { accounts: ['a'], substrates: ['key'] },
    play: async (stage) => {
      stage.host.drill.fallbacks = ['key']
      const drill = await startDrill(stage)
      const { session } = await declaredBy(stage)
      await stage.until(
        'the call home',
        () => Promise.resolve(stage.host.calledHome.has(session)),
        (called) => called,
      )
      stage.host.sees(session, { kind: 'ready-for-home' })
      await drillReport(stage)
      return drill
    },
  },
  'drill-failed': {
    options: { accounts: ['a'] },
    play: async (stage) => {
      const drill = await startDrill(stage, 5 * minute)
      await declaredBy(stage)
      const now = await stage.theatre.now()
      stage.host.accounts.get('a')!.hitWall(now, now + 3 * hour)
      // It is another session that finds the way home shut.
      const other = await stage.start('other')
      await stage.untilSession(other, ({ phase }) => phase === 'parked')
      await drillReport(stage)
      return drill
    },
  },
  ...serviceScenarios,
}

/** Plays it, and answers the history as the server has it. */
export async function play(theatre: Theatre, name: string) {
  const { options, play } = scenarios[name]!
  const stage = await Stage.open(theatre, options)
  try {
    return await (await play(stage)).fetchHistory()
  } finally {
    await stage.close()
  }
}
