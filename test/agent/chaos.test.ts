/** Law 7: kill the worker, the engine or tmux at any step of a rescue; each session ends up running once, with everything said. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Client, Connection } from '@temporalio/client'
import { openHome } from '../../config/home.js'
import { readEngine } from '../../config/liveState.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { type Fleet, startFleet } from '../support/fleet.js'
import { holdersOf, watchHolders } from '../support/holders.js'
import { until } from '../support/until.js'
import { conversationText } from '../standin/requests.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
let connection: Connection

beforeEach(async () => {
  fleet = await startFleet({ accounts: ['max-1', 'max-2', 'max-3'] })
  for (const name of ['max-1', 'max-2', 'max-3'])
    fleet.world.standIn.account(name).windows({
      five_hour: { used: 0.2, resetsAt: hours(4) },
      seven_day: { used: 0.2, resetsAt: hours(90) },
    })
  await fleet.up()
  connection = await Connection.connect({ address: readEngine(openHome(fleet.env))!.address })
})
afterEach(async () => {
  await connection.close()
  await fleet.close()
})

/** Names of what has happened in the session's history, such as `scheduled stopAgent`. */
async function happened(name: string): Promise<string[]> {
  const { events } = await new Client({ connection }).workflow
    .getHandle(sessionWorkflowId(name))
    .fetchHistory()
  const types = new Map<string, string>()
  return (events ?? []).flatMap((event) => {
    const scheduled = event.activityTaskScheduledEventAttributes
    if (scheduled) types.set(String(event.eventId), scheduled.activityType?.name ?? '')
    if (scheduled) return [`scheduled ${scheduled.activityType?.name ?? ''}`]
    const completed = event.activityTaskCompletedEventAttributes
    if (completed) return [`completed ${types.get(String(completed.scheduledEventId)) ?? ''}`]
    const signal = event.workflowExecutionSignaledEventAttributes
    return signal ? [`signal ${signal.signalName ?? ''}`] : []
  })
}

/** Begins a session, walls its account, and waits until its rescue has come to this point. */
async function rescueUpTo(point: string): Promise<string> {
  await fleet.run(
    'start',
    'alpha',
    '--cwd',
    fleet.world.cwd,
    '--account',
    'max-1',
    '--',
    'Remember the word heron.',
  )
  const { sessionId } = await fleet.untilSession('alpha', ({ phase }) => phase === 'idle')
  const before = await happened('alpha')
  fleet.world.standIn.account('max-1').wall('five_hour', hours(3))
  await fleet.run('send', 'alpha', 'Now the long task.')
  await until(
    point,
    () => happened('alpha'),
    (now) => now.slice(before.length).includes(point),
  )
  return sessionId
}

async function expectRescued(sessionId: string): Promise<void> {
  const moved = await fleet.untilSession(
    'alpha',
    ({ phase, account, rescueLog }) =>
      phase === 'idle' && account !== 'max-1' && rescueLog.at(-1)?.endedAt !== null,
    90_000,
  )
  expect(moved.sessionId).toBe(sessionId)
  expect(holdersOf(sessionId)).toEqual([moved.pid])
  expect(moved.rescues).toBe(1)
  const last = await until(
    'the turn that goes on',
    () =>
      Promise.resolve(fleet.world.standIn.requests({ kind: 'turn', sessionId, outcome: 'answered' }).at(-1)),
    (request) => request?.account === moved.account,
  )
  const said = conversationText(last!)
  expect(said).toContain('Remember the word heron.')
  expect(said.split('Now the long task.')).toHaveLength(2)
  expect(said).toContain('The usage limit was reached')
  // A text that is sent now arrives: the session is not only there, it is in order.
  await fleet.run('send', 'alpha', 'Are you there?')
  await until(
    'an answer after the rescue',
    () =>
      Promise.resolve(fleet.world.standIn.requests({ kind: 'turn', sessionId, outcome: 'answered' }).at(-1)),
    (request) => request !== undefined && conversationText(request).includes('Are you there?'),
  )
}

describe('the worker is killed hard in the middle of a rescue', () => {
  it.each([
    'signal leaseGranted',
    'scheduled stopAgent',
    'completed stopAgent',
    'scheduled carryConversation',
    'completed carryConversation',
    'scheduled launchAgent',
    'completed launchAgent',
  ])('law 7: at "%s" the rescue goes on where it was, without a second process', async (point) => {
    const sessionId = await rescueUpTo(point)
    const monitor = watchHolders(sessionId)
    await fleet.down('SIGKILL')
    await fleet.up()
    await expectRescued(sessionId)
    expect(monitor.stop()).toEqual([])
  })
})

describe('what the rescue stands on is killed under it', () => {
  it('law 7: the engine comes back by itself, and the rescue goes on', async () => {
    const sessionId = await rescueUpTo('scheduled launchAgent')
    const monitor = watchHolders(sessionId)
    process.kill(readEngine(openHome(fleet.env))!.pid!, 'SIGKILL')
    await expectRescued(sessionId)
    expect(monitor.stop()).toEqual([])
  })

  it('law 7: the tmux server vanishes, and the session is made anew', async () => {
    const sessionId = await rescueUpTo('completed stopAgent')
    const monitor = watchHolders(sessionId)
    fleet.tmux('kill-server')
    await expectRescued(sessionId)
    expect(monitor.stop()).toEqual([])
  })

  it('law 7: worker and engine die together while all is quiet, and nothing that lives is started again', async () => {
    await fleet.run('start', 'alpha', '--cwd', fleet.world.cwd, '--', 'Hello.')
    const before = await fleet.untilSession('alpha', ({ phase }) => phase === 'idle')
    process.kill(readEngine(openHome(fleet.env))!.pid!, 'SIGKILL')
    await fleet.down('SIGKILL')
    await fleet.up()
    const after = await fleet.untilSession('alpha', ({ phase }) => phase === 'idle')
    expect(after.pid).toBe(before.pid)
    expect(after.rescueLog).toEqual([])
    await fleet.run('send', 'alpha', 'Still there?')
    await until(
      'an answer',
      () => Promise.resolve(fleet.world.standIn.requests({ kind: 'turn', outcome: 'answered' }).at(-1)),
      (request) => request !== undefined && conversationText(request).includes('Still there?'),
    )
  })
})
