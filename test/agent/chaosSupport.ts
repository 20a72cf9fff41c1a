/**
 * Rescues that are brought to a certain point, so that something can be killed there, and what has to be true
 * afterwards.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { Client, Connection } from '@temporalio/client'
import { EventReader } from '../../config/events/files.js'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import type { RescueEntry } from '../../policy/session/session.js'
import { poolQueries } from '../../workflows/messages.js'
import { sealedClient } from '../../lab/engine/sealed.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { holdersOf } from '../../lab/machine/holders.js'
import { until } from '../../lab/until.js'
import { conversationText, promptsOf, type RecordedRequest } from '../../lab/standin/requests.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

export let fleet: Fleet
let connection: Connection

/**
 * A fleet for the tests of one group. The pool keeps what it has learned of an account between two tests, so
 * there has to be one account more than walls.
 */
export function shareFleet(size: number): void {
  const accounts = Array.from({ length: size }, (_, index) => `max-${index + 1}`)
  beforeAll(async () => {
    fleet = await startFleet({ engine: 'own', accounts })
    for (const name of accounts)
      fleet.world.standIn.account(name).windows({
        five_hour: { used: 0.2, resetsAt: hours(4) },
        seven_day: { used: 0.2, resetsAt: hours(90) },
      })
    await fleet.up()
    connection = await Connection.connect({ address: readEngine(openHome(fleet.env))!.address })
  })
  afterAll(async () => {
    await connection.close()
    await fleet.close()
  })
}

/** Names of the events in the session's history, such as `scheduled launchAgent`. */
export async function happened(name: string): Promise<string[]> {
  const { events } = await new Client({ connection }).workflow
    .getHandle(sessionWorkflowId(name))
    .fetchHistory()
  const types = new Map<string, string>()
  return (events ?? []).flatMap((event) => {
    const scheduled = event.activityTaskScheduledEventAttributes
    if (scheduled) types.set(String(event.eventId), scheduled.activityType?.name ?? '')
    if (scheduled) return [`scheduled ${scheduled.activityType?.name ?? ''}`]
    const completed = event.activityTaskCompletedEventAttributes
    return completed ? [`completed ${types.get(String(completed.scheduledEventId)) ?? ''}`] : []
  })
}

interface Rescued {
  name: string
  sessionId: string
  /** The account that was walled, and the process that ran there. */
  from: string
  pid: number
}

const isIn = async (step: string, { name }: Rescued, before: readonly string[]): Promise<boolean> =>
  (await happened(name)).slice(before.length).includes(step)

/**
 * How far a rescue has come. The launch stops the old process, carries the conversation, and starts the next
 * one.
 */
export const points = {
  'the pool has granted a place': async ({ name, from }: Rescued) => {
    const pool = sealedClient(openHome(fleet.env), connection).workflow.getHandle(poolWorkflowId('main'))
    const { accounts } = await pool.query(poolQueries.describe)
    return accounts.some((account) => account.name !== from && account.leases.includes(name))
  },
  'the launch was handed out': (rescued: Rescued, before: readonly string[]) =>
    isIn('scheduled launchAgent', rescued, before),
  'the old process is stopped': ({ sessionId, pid }: Rescued) =>
    Promise.resolve(!holdersOf(sessionId).includes(pid)),
  'the conversation is carried': ({ sessionId, from }: Rescued) =>
    Promise.resolve(
      readdirSync(join(fleet.world.dir, 'logins'), { recursive: true, encoding: 'utf8' }).some(
        (file) => file.endsWith(`/${sessionId}.jsonl`) && !file.startsWith(`${from}/`),
      ),
    ),
  'the launch has ended': (rescued: Rescued, before: readonly string[]) =>
    isIn('completed launchAgent', rescued, before),
} satisfies Record<string, (rescued: Rescued, before: readonly string[]) => Promise<boolean>>

export type Point = keyof typeof points

/** Begins a session, walls its account, and waits until its rescue has come to this point. */
export async function rescueUpTo(point: Point, name: string): Promise<Rescued> {
  const { cwd, standIn } = fleet.world
  await fleet.run('start', name, '--cwd', cwd, '--', 'Remember the word heron.')
  const { sessionId, account, pid } = await fleet.untilSession(name, ({ phase }) => phase === 'idle')
  const before = await happened(name)
  standIn.account(account!).wall('five_hour', hours(3))
  await fleet.run('send', name, 'Now the long task.')
  const rescued = { name, sessionId, from: account!, pid: pid! }
  await until(
    point,
    () => points[point](rescued, before),
    (come) => come,
  )
  return rescued
}

export const lastAnswered = (sessionId: string) =>
  fleet.world.standIn.requests({ kind: 'turn', sessionId, outcome: 'answered' }).at(-1)

export async function expectRescued({ name, sessionId, from }: Rescued): Promise<void> {
  const untilMoved = () =>
    fleet.untilSession(
      name,
      ({ phase, account, rescueLog }) =>
        phase === 'idle' && account !== from && rescueLog.at(-1)?.endedAt !== null,
    )
  const { account } = await untilMoved()
  const last = await until(
    'the turn that goes on',
    () => Promise.resolve(lastAnswered(sessionId)),
    (request) => request?.account === account,
  )
  const said = conversationText(last!)
  expect(said).toContain('Remember the word heron.')
  expect(said.split('Now the long task.')).toHaveLength(2)
  expect(said).toContain('The usage limit was reached')
  // A text that is sent now arrives: the session does not merely exist, it works.
  expect(await fleet.run('send', name, 'Are you there?')).toMatchObject({ code: 0, stderr: '' })
  await until(
    'an answer after the rescue',
    () => Promise.resolve(lastAnswered(sessionId)),
    (request) => request !== undefined && conversationText(request).includes('Are you there?'),
  )
  // The kill may have hit the new agent itself; its restart is complete only now that it has answered.
  const rescued = await untilMoved()
  expect(rescued.sessionId).toBe(sessionId)
  expect(holdersOf(sessionId)).toEqual([rescued.pid])
  expect(rescued.rescues).toBe(1)
  // No account is blamed for what it had nothing to do with.
  expect(rescued.rescueLog.at(-1)!.steps.filter(({ fault }) => fault !== undefined)).toEqual([])
  expectNoSurplus(lastAnswered(sessionId)!, rescued.rescueLog.length)
  await expectEventsOf(name, rescued.rescueLog)
  await fleet.run('stop', name)
}

/** Law 14: each move is an event, once, whatever was killed between the engine's word and the host's. */
async function expectEventsOf(name: string, log: readonly RescueEntry[]): Promise<void> {
  const moves = log.flatMap(({ n, cause, from, to, endedAt, wall }) =>
    endedAt === null || to === null ? [] : [{ n, cause, from, to, resetsAt: wall?.resetsAt ?? null }],
  )
  const recorded = await until(
    `the events of ${name}`,
    () => Promise.resolve(new EventReader(openHome(fleet.env)).next()),
    (events) =>
      events.filter((event) => event.kind === 'session-moved' && event.session === name).length >=
      moves.length,
  )
  const moved = recorded.flatMap((event) =>
    event.kind === 'session-moved' && event.session === name
      ? [
          {
            n: event.n,
            cause: event.cause,
            from: event.from,
            to: event.to,
            resetsAt: event.wall?.resetsAt ?? null,
          },
        ]
      : [],
  )
  expect(moved).toEqual(moves)
  expect(new Set(recorded.map(({ id }) => id)).size).toBe(recorded.length)
}

/**
 * Law 13: every turn has its cause: what was sent, once, and at most one "go on" for each time that the agent
 * was started again.
 */
function expectNoSurplus(last: RecordedRequest, restarts: number): void {
  const [first, second, ...rest] = promptsOf(last)
  expect([first, second, rest.pop()]).toEqual([
    'Remember the word heron.',
    'Now the long task.',
    'Are you there?',
  ])
  expect(rest.length).toBeLessThanOrEqual(restarts)
  for (const goOn of rest) expect(goOn).toMatch(/Continue the task you were working on/)
  const { sessionId } = last
  const answered = fleet.world.standIn.requests({ kind: 'turn', outcome: 'answered' })
  expect(answered.filter((one) => one.sessionId === sessionId).length).toBeLessThanOrEqual(3 + restarts)
}
