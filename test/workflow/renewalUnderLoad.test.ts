/**
 * A fleet whose histories are cut all the time, by the engine's own suggestion with its threshold turned
 * down, while its accounts keep hitting walls.
 */
import { expect, it } from 'vitest'
import type { TestPool } from './harness/testPool.js'
import { TestServer } from './harness/testServer.js'
import { useTestPool } from './harness/useTestPool.js'

/**
 * A rescue alone takes about that many events: no run of a session sees two of them, and a run of the pool
 * hardly one herd.
 */
const cutAfterEvents = 30
const accounts = ['a', 'b', 'c', 'd']
const herd = 8
const rounds = 4
/** Milliseconds; a moment in which only the last account is able belongs to it. */
const wallLasts = 3_000

const open = useTestPool(() => TestServer.openWithHistoryLimit(cutAfterEvents))

/** Runs that have continued as a new one, by the ids of their workflows. */
async function cuts(testPool: TestPool, workflowId: string): Promise<number> {
  const query = `WorkflowId = '${workflowId}' AND ExecutionStatus = 'ContinuedAsNew'`
  return (await testPool.server.client.workflow.count(query)).count
}

it('law 8, law 5, law 3: histories are cut in the middle of herds; no text, wall or lease is lost or doubled', async () => {
  const second = 1_000
  const timing = {
    probeEvery: second,
    retryEvery: second,
    wakeMargin: 0,
    admissionInterval: second,
    failedStartExclusion: second,
  }
  const testPool = await open({ accounts, timing })
  testPool.step = 50
  testPool.host.pollEvery = 100
  const names = Array.from({ length: herd }, (_, n) => `s${n}`)
  const sessions = await Promise.all(names.map((name) => testPool.startRunning(name)))

  for (let round = 0; round < rounds; round++) {
    const leases = Object.entries(await testPool.leases()).sort(([, a], [, b]) => b.length - a.length)
    const [walled = 'a', there = []] = leases[0] ?? []
    const texts = sessions.map((session) => testPool.send(session, `${session}-${round}`, `text ${round}`))
    await Promise.all([...there.map((session) => testPool.hitWall(session, walled, wallLasts)), ...texts])
    await testPool.until(
      `round ${round}: every session at work with its texts`,
      () => Promise.all(sessions.map((session) => testPool.describe(session))),
      (shown) =>
        sessions.every((session) => testPool.host.hasProcessedAll(session)) &&
        shown.every(({ phase }) => phase === 'working') &&
        sessions.every((session) => (testPool.host.delivered.get(session) ?? []).length > round),
    )
  }

  const said = Array.from({ length: rounds }, (_, round) => `text ${round}`)
  const shown = await Promise.all(sessions.map((session) => testPool.describe(session)))
  for (const [n, session] of sessions.entries()) {
    expect(testPool.host.delivered.get(session)).toEqual(said)
    // Every wall that a session met has its entry, and every entry its number.
    const log = shown[n]!.rescueLog
    expect(log.map((entry) => entry.n)).toEqual(log.map((_, index) => index + 1))
    expect(log.filter(({ cause }) => cause === 'wall')).toHaveLength(shown[n]!.rescues)
  }
  const walls = shown.reduce((sum, { rescues }) => sum + rescues, 0)
  expect(walls).toBeGreaterThanOrEqual(rounds * Math.floor(herd / accounts.length))
  // One lease for each session, on the account that it is on.
  const held = Object.entries(await testPool.leases()).flatMap(([account, of]) =>
    of.map((session) => `${session} ${account}`),
  )
  expect(held.sort()).toEqual(shown.map(({ name, account }) => `${name} ${account}`).sort())

  await testPool.until(
    "the new runs in the engine's list",
    async () => [
      await cuts(testPool, testPool.poolHandle.workflowId),
      ...(await Promise.all(sessions.map((session) => cuts(testPool, testPool.handle(session).workflowId)))),
    ],
    ([ofPool = 0, ...ofSessions]) =>
      ofPool >= rounds - 2 && ofSessions.reduce((sum, one) => sum + one, 0) >= 2 * herd,
  )
})
