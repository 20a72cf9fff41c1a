/**
 * An engine that could not be reached for a while, and what happened on the host meanwhile: real parts, with
 * a connection that can be cut.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { tsToMs } from '@temporalio/common/lib/time.js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sealedClient } from '../../lab/engine/sealed.js'
import { BreakableProxy } from '../../lab/engine/breakableProxy.js'
import { type DevServer, devServer } from '../../lab/engine/engine.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'
import { textOf } from '../../lab/standin/requests.js'

/**
 * Longer than Temporal's library retries a result that is refused, and by then its pollers pause for up to
 * ten seconds. A stalled connection is given up later: `OUTPOOL_AWAY_SECONDS=100` tests a realistic outage.
 */
const awayMs = 1_000 * Number(process.env['OUTPOOL_AWAY_SECONDS'] ?? 15)
/** The target is five seconds on an idle machine; without the correction it takes minutes on any. */
const withinMs = 30_000

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let server: DevServer
let cable: BreakableProxy
let fleet: Fleet

beforeAll(async () => {
  server = await devServer()
  cable = await BreakableProxy.open(server.address)
  const env = { TEMPORAL_ADDRESS: cable.address }
  fleet = await startFleet({ engine: 'own', env, accounts: ['max-1', 'max-2', 'max-3'] })
  for (const name of ['max-1', 'max-2', 'max-3'])
    fleet.world.standIn.account(name).windows({
      five_hour: { used: 0.2, resetsAt: hours(4) },
      seven_day: { used: 0.2, resetsAt: hours(90) },
    })
  await fleet.up()
  await fleet.untilRead()
})

afterEach(() => cable.restore())
afterAll(async () => {
  await fleet.close()
  await cable.close()
  await server.stop()
})

/** How often the model was asked with this text as the newest. */
const turnsWith = (text: string): number =>
  fleet.world.standIn
    .requests({ kind: 'turn' })
    .filter(({ messages }) =>
      textOf(messages.findLast(({ role }) => role === 'user')?.content ?? '').includes(text),
    ).length

const untilTurn = (text: string, count = 1): Promise<number> =>
  until(
    `a turn with ${text}`,
    () => Promise.resolve(turnsWith(text)),
    (seen) => seen >= count,
  )

async function begin(name: string, on: string): Promise<void> {
  const started = await fleet.run('start', name, '--cwd', fleet.world.cwd, '--account', on, '--', 'Hello')
  expect(started).toMatchObject({ code: 0, stderr: '' })
  await fleet.untilSession(name, ({ phase, account }) => phase === 'idle' && account === on)
}

/** When the engine scheduled the deliveries to the session that are in progress here. */
async function deliveriesOf(name: string): Promise<number[]> {
  const connection = await Connection.connect(server.connectOptions)
  try {
    const client = sealedClient(server.home, connection, server.namespace)
    const { raw } = await client.workflow.getHandle(`session/${name}`).describe()
    return (raw.pendingActivities ?? []).flatMap(({ activityType, lastStartedTime, scheduledTime }) =>
      activityType?.name === 'deliverText' && lastStartedTime ? [tsToMs(scheduledTime)] : [],
    )
  } finally {
    await connection.close()
  }
}

async function send(name: string, text: string): Promise<void> {
  expect((await fleet.run('send', name, text)).code).toBe(0)
}

const ways = [
  ['cut', (): void => cable.cut()],
  // Given up only after half a minute: a realistic length, tested by night.
  ...(process.env['OUTPOOL_AWAY_SECONDS'] === undefined
    ? []
    : [['pulled', (): void => cable.stall()] as const]),
] as const

describe.each(ways)('an engine whose connection was %s', (how, off) => {
  it('law 7: learns of a wall and of a taken text as soon as it answers again, and neither is done twice', async () => {
    const [walled, told] = [`walled-${how}`, `told-${how}`]
    const from = how === 'cut' ? 'max-1' : 'max-2'
    const [goOn, slow] = [`Go on with ${walled}.`, `A long task of ${told}.`]
    const [queued, later] = [`Then this of ${told}.`, `And this of ${told}.`]
    let finish: () => void = () => undefined
    const finished = new Promise<void>((resolve) => (finish = resolve))
    fleet.world.standIn.account('max-3').answer(async ({ request }) => {
      const promptText = textOf(request.messages.findLast(({ role }) => role === 'user')?.content ?? '')
      if (promptText.includes(slow)) await finished
      return 'Done.'
    })
    await Promise.all([begin(walled, from), begin(told, 'max-3')])
    await send(told, slow)
    await until(
      `${told} at work`,
      () => fleet.show(told),
      ({ phase }) => phase === 'working',
    )
    const since = Date.now()
    await send(told, queued)
    await send(told, later)
    // It waits here for the end of the turn.
    await until(
      'the delivery of the second text',
      () => deliveriesOf(told),
      (begun) => begun.some((at) => at >= since),
    )
    off()
    finish()
    fleet.world.standIn.account(from).wall('five_hour', hours(3))
    fleet.tmux('send-keys', '-t', `=${walled}:`, '-l', goOn)
    fleet.tmux('send-keys', '-t', `=${walled}:`, 'Enter')
    await Promise.all([untilTurn(goOn), untilTurn(queued)])
    await delay(awayMs)
    const mended = Date.now()
    cable.restore()
    await Promise.all([untilTurn(later), fleet.untilSession(walled, ({ rescueLog }) => rescueLog.length > 0)])
    expect(Date.now() - mended).toBeLessThan(withinMs)
    const moved = await fleet.untilSession(walled, ({ phase, rescues }) => phase === 'idle' && rescues === 1)
    expect(moved.account).not.toBe(from)
    expect([slow, queued, later].map(turnsWith)).toEqual([1, 1, 1])
    const outages = await until(
      'the end of the outage as an event',
      () => Promise.resolve(fleet.events().filter(({ kind }) => kind.startsWith('engine-'))),
      (all) => all.at(-1)?.kind === 'engine-up',
    )
    expect(outages.slice(-2)).toMatchObject([
      { kind: 'engine-down' },
      { kind: 'engine-up', downMs: expect.any(Number) as number },
    ])
    for (const name of [walled, told]) expect((await fleet.run('stop', name)).code).toBe(0)
  })

  it('law 14: is in the log as two lines; nothing else prints there, and nothing again and again', () => {
    const lines = fleet.log().trimEnd().split('\n')
    expect(lines.filter((line) => !/^\d\d:\d\d:\d\d (info|warn|error) /.test(line))).toEqual([])
    const said = lines.map((line) => line.slice('hh:mm:ss '.length))
    expect(said.filter((line) => /^(error|info) +engine: /.test(line))).toHaveLength(2)
    expect(said.filter((line, i) => said.indexOf(line) !== i)).toEqual([])
  })
})

it('law 7: gives up connections that were accepted and never answered, and reaches the engine again', async () => {
  const untilUnanswered = (is: (count: number) => boolean): Promise<number> =>
    until('connections that are not answered', () => Promise.resolve(cable.unanswered), is)
  cable.deafen()
  await untilUnanswered((count) => count > 0)
  cable.restore()
  await untilUnanswered((count) => count === 0)
  await begin('heard', 'max-2')
  expect((await fleet.run('stop', 'heard')).code).toBe(0)
})

it('law 7: an `outpool up` that was killed leaves no worker behind that would block the next one, and every pane lives on', async () => {
  const name = 'stays'
  await begin(name, 'max-3')
  const [before, worker] = [await fleet.show(name), fleet.workerPid()]
  await fleet.killCommand()
  await fleet.up()
  expect(fleet.workerPid()).not.toBe(worker)
  expect(fleet.log()).toContain('the command that started this worker was killed: ending the watches')
  const after = await fleet.untilSession(name, ({ phase }) => phase === 'idle')
  expect([after.pid, after.pane]).toEqual([before.pid, before.pane])
  expect((await fleet.run('stop', name)).code).toBe(0)
})
