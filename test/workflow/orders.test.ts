import { describe, expect, it } from 'vitest'
import { hour, type Stage } from './harness/stage.js'
import { useStage } from './harness/useStage.js'

const open = useStage()

const steps = ['stopAgent', 'carry', 'launchAgent'] as const

/** A session on `a` whose rescue has come as far as this step, and waits in it. */
async function inTheMiddle(stage: Stage, step: (typeof steps)[number]) {
  const session = await stage.up('one', { account: 'a', prompt: 'begin' })
  const hold = stage.host.holds(step)
  await stage.hitsWall(session, 'a')
  let isThere = false
  void hold.reached.then(() => (isThere = true))
  await stage.until(
    `the rescue at ${step}`,
    () => Promise.resolve(isThere),
    (there) => there,
  )
  return { session, letGo: hold.open }
}

describe('law 7: an order in the middle of a rescue', () => {
  for (const step of steps) {
    it(`law 3: stop while it is at ${step}: nothing runs afterwards, and nothing is held`, async () => {
      const stage = await open({ accounts: ['a', 'b'] })
      const { session, letGo } = await inTheMiddle(stage, step)
      await stage.order(session, 'stop')
      letGo()
      const result: unknown = await stage.handle(session).result()
      expect(result).toMatchObject({ phase: 'stopped', pane: null, pid: null })
      expect(stage.host.processes.size).toBe(0)
      await stage.until(
        'the lease to come back',
        () => stage.leases(),
        ({ a, b }) => a?.length === 0 && b?.length === 0,
      )
      expect((await stage.view()).waiting).toEqual([])
    })

    it(`law 5: pause while it is at ${step}: stopped, and resumed whole`, async () => {
      const stage = await open({ accounts: ['a', 'b'] })
      const { session, letGo } = await inTheMiddle(stage, step)
      await stage.order(session, 'pause')
      letGo()
      await stage.untilSession(session, ({ phase }) => phase === 'paused')
      expect(stage.host.processes.size).toBe(0)
      await stage.until(
        'the lease to come back',
        () => stage.leases(),
        ({ a, b }) => a?.length === 0 && b?.length === 0,
      )
      await stage.theatre.pass(hour)
      expect((await stage.show(session)).phase).toBe('paused')
      await stage.order(session, 'resume')
      await stage.untilOn(session, 'b')
      expect(stage.host.processes.size).toBe(1)
    })

    it(`law 3: move while it is at ${step}: ends where the person wanted it, once`, async () => {
      const stage = await open({ accounts: ['a', 'b', 'c'] })
      stage.host.accounts.get('c')!.used = 0.5
      const { session, letGo } = await inTheMiddle(stage, step)
      await stage.move(session, { to: 'c' })
      letGo()
      const { rescues, rescueLog } = await stage.untilOn(session, 'c')
      expect(stage.host.processes.size).toBe(1)
      expect(rescues).toBe(1)
      expect(rescueLog.every(({ endedAt }) => endedAt !== null)).toBe(true)
      expect(await stage.leases()).toEqual({ a: [], b: [], c: [session] })
    })
  }

  it('law 3: two orders at once: both are carried out, the later one has the last word', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    await stage.move(session, { to: 'b' })
    await stage.order(session, 'pause')
    await stage.untilSession(session, ({ phase }) => phase === 'paused')
    expect(stage.host.processes.size).toBe(0)
    await stage.order(session, 'resume')
    await stage.order(session, 'stop')
    await stage.handle(session).result()
    expect(stage.host.processes.size).toBe(0)
    expect(await stage.leases()).toEqual({ a: [], b: [] })
  })

  it('law 10: a parked session obeys: stop ends it, and its place in the queue is gone', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    await stage.hitsWall(session, 'a')
    await stage.untilSession(session, ({ phase }) => phase === 'parked')
    await stage.order(session, 'stop')
    await stage.handle(session).result()
    await stage.until(
      'the queue to be empty',
      async () => (await stage.view()).waiting,
      (waiting) => waiting.length === 0,
    )
  })

  it('law 4: a person may name the account: the session waits for it, and for no other', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const now = await stage.theatre.now()
    stage.host.accounts.get('a')!.hitWall(now, now + hour)
    const session = await stage.start('one', { account: 'a', pinned: true })
    await stage.untilSession(session, ({ phase }) => phase === 'parked')
    expect(stage.host.launches).toHaveLength(0)
    await stage.untilOn(session, 'a', 2 * hour, 30_000)
  })

  it('law 4: one that takes one account only waits for it at a wall too, while another is free, and goes where a person moves it', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a', pinned: true })
    await stage.sees(session, { kind: 'near-limit', why: 'a at 97 %', wall: null })
    await stage.theatre.pass(5_000)
    expect(stage.steps(session)).toEqual(['launchAgent a#1'])
    await stage.hitsWall(session, 'a', hour)
    await stage.untilSession(session, ({ phase }) => phase === 'parked')
    await stage.untilOn(session, 'a', 2 * hour, 30_000)
    await stage.move(session, { to: 'b' })
    await stage.untilOn(session, 'b')
    expect((await stage.show(session)).pinnedTo).toBe('b')
    expect(new Set(stage.host.launches.map(({ place }) => place.name))).toEqual(new Set(['a', 'b']))
  })

  it('law 7: move to where it is already is done at once, without a restart', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    await stage.move(session, { to: 'a' })
    await stage.theatre.pass(60_000)
    expect(stage.steps(session)).toEqual(['launchAgent a#1'])
  })

  it('law 7: a move that no account can take leaves the session running where it is', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const now = await stage.theatre.now()
    stage.host.accounts.get('b')!.hitWall(now, now + hour)
    const session = await stage.up('one', { account: 'a' })
    await stage.move(session, { to: 'b' })
    const { rescueLog } = await stage.untilSession(
      session,
      (shown) => shown.phase === 'working' && (shown.rescueLog[0]?.endedAt ?? null) !== null,
    )
    expect(rescueLog[0]?.result).toMatch(/stayed/)
    expect(stage.steps(session)).toEqual(['launchAgent a#1'])
    expect(await stage.leases()).toEqual({ a: [session], b: [] })
  })

  it('law 3: Temporal’s own cancel stops the session in order', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    await stage.handle(session).cancel()
    const result: unknown = await stage.handle(session).result()
    expect(result).toMatchObject({ phase: 'stopped' })
    expect(stage.host.processes.size).toBe(0)
    expect(stage.steps(session)).toEqual(['launchAgent a#1', 'stopAgent a#1'])
    expect(await stage.leases()).toEqual({ a: [] })
  })

  it('law 3: Temporal’s own cancel in the middle of a rescue leaves nothing running', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const { session, letGo } = await inTheMiddle(stage, 'launchAgent')
    await stage.handle(session).cancel()
    letGo()
    expect(await stage.handle(session).result()).toMatchObject({ phase: 'stopped' })
    expect(stage.host.processes.size).toBe(0)
  })
})
