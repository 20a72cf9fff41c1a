import { describe, expect, it } from 'vitest'
import * as faults from '../../activities/errors.js'
import { hour, minute, second } from './harness/stage.js'
import { useStage } from './harness/useStage.js'

const open = useStage()

describe('the wall', () => {
  it('law 4: a session starts on an account that is able, not on the first one', async () => {
    const stage = await open({ accounts: ['full', 'free'] })
    const now = await stage.theatre.now()
    stage.host.accounts.get('full')!.hitWall(now, now + 3 * hour)
    const session = await stage.up('one')
    expect(await stage.show(session)).toMatchObject({ account: 'free', rescues: 0, rescueLog: [] })
    expect(await stage.leases()).toEqual({ full: [], free: [session] })
  })

  it('law 3, law 5: a walled session is stopped, carried and resumed elsewhere, under a newer fence', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    await stage.hitsWall(session, 'a')
    const { rescueLog, rescues, sessionId } = await stage.untilOn(session, 'b')
    expect(stage.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to b',
      'launchAgent b#2',
    ])
    expect(stage.host.launches.map(({ mode }) => mode)).toEqual(['new', 'resume'])
    expect(new Set(stage.host.launches.map((launch) => launch.sessionId))).toEqual(new Set([sessionId]))
    expect(stage.host.launches[1]!.prompt!.text).toContain('The usage limit was reached')
    expect(rescues).toBe(1)
    expect(rescueLog).toHaveLength(1)
    expect(rescueLog[0]).toMatchObject({ n: 1, cause: 'wall', from: 'a', to: 'b' })
    expect(rescueLog[0]!.wall).toMatchObject({ kind: 'five_hour', scope: 'account' })
    expect(rescueLog[0]!.steps.map(({ name }) => name)).toEqual(['stop', 'carry', 'respawn'])
    expect(rescueLog[0]!.endedAt).not.toBeNull()
    expect(await stage.leases()).toEqual({ a: [], b: [session] })
    // What the old process wrote is not looked at again: the watch begins where the new process began.
    expect(stage.host.watches.at(-1)).toMatchObject({ place: { name: 'b' }, transcriptFrom: 0 })
  })

  it('law 4: one wall, told by one session, keeps the others from being sent there', async () => {
    const stage = await open({ accounts: ['a', 'b', 'c'] })
    const first = await stage.up('first', { account: 'a' })
    const second = await stage.up('second', { account: 'b' })
    await stage.hitsWall(first, 'a')
    await stage.untilSession(first, ({ account, phase }) => account !== 'a' && phase === 'working')
    await stage.hitsWall(second, 'b')
    await stage.untilOn(second, 'c')
    expect((await stage.show(first)).rescues).toBe(1)
    expect((await stage.show(second)).rescues).toBe(1)
  })

  it('law 10: with every account walled it parks, stopped, and is up again by itself after the reset', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const now = await stage.theatre.now()
    const reset = now + 3 * hour
    stage.host.accounts.get('b')!.hitWall(now, now + 4 * hour)
    await stage.hitsWall(session, 'a', 3 * hour)
    const parked = await stage.untilSession(session, ({ phase }) => phase === 'parked')
    expect(stage.host.processes.size).toBe(0)
    expect(Date.parse(parked.parkedUntil!)).toBeGreaterThan(now)
    expect(Date.parse(parked.parkedUntil!)).toBeLessThanOrEqual(reset + minute)
    expect(parked.rescueLog.at(-1)).toMatchObject({ cause: 'wall', from: 'a', to: null })
    expect(parked.attention).toBeNull()
    expect(parked.why).toMatch(/^a walled until .*, b walled until /)
    expect(await stage.leases()).toEqual({ a: [], b: [] })

    await stage.theatre.pass(reset - minute - (await stage.theatre.now()))
    expect((await stage.show(session)).phase).toBe('parked')
    const up = await stage.untilOn(session, 'a', 4 * minute, 5 * second)
    expect(await stage.theatre.now()).toBeGreaterThanOrEqual(reset)
    expect(up.rescueLog.at(-1)).toMatchObject({ cause: 'wake', to: 'a' })
    expect(up).toMatchObject({ rescues: 1, parkedUntil: null, walledUntil: null })
    expect(stage.host.launches).toHaveLength(2)
  })

  it('law 4: near the limit it moves where there is clearly more room', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    stage.host.accounts.get('a')!.used = 0.96
    stage.host.sees(session, { kind: 'near-limit', why: 'a at 96 %', wall: null })
    const { rescueLog, rescues } = await stage.untilOn(session, 'b')
    expect(rescueLog).toMatchObject([{ cause: 'near-limit', from: 'a', to: 'b', wall: null }])
    expect(rescues).toBe(0)
  })

  it('law 6: near the limit it stays, unstopped, where no place is better, and is not asked again at once', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const { pid } = await stage.show(session)
    stage.host.accounts.get('a')!.used = 0.96
    stage.host.accounts.get('b')!.used = 0.93
    await stage.sees(session, { kind: 'near-limit', why: 'a at 96 %', wall: null })
    await stage.until(
      'a new watch',
      () => Promise.resolve(stage.host.watches.length),
      (watches) => watches === 2,
    )
    expect(stage.steps(session)).toEqual(['launchAgent a#1'])
    expect(await stage.show(session)).toMatchObject({ pid, phase: 'working', account: 'a', rescueLog: [] })
    expect(Date.parse(stage.host.watches[1]!.stayUntil!)).toBeGreaterThan(await stage.theatre.now())
    expect(await stage.leases()).toEqual({ a: [session], b: [] })
  })

  it('law 6: a lost login moves the session, and the account stays out until a login is seen', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    stage.host.accounts.get('a')!.login = 'out'
    stage.host.sees(session, { kind: 'login', text: 'Please run /login' })
    const { rescueLog, rescues, attention } = await stage.untilOn(session, 'b')
    expect(rescueLog).toMatchObject([{ cause: 'login', from: 'a', to: 'b' }])
    expect({ rescues, attention }).toEqual({ rescues: 0, attention: null })
    const a = (await stage.view()).accounts.find(({ name }) => name === 'a')
    expect(a?.login).toBe('out')
    const other = await stage.up('two', { account: 'a' })
    expect(await stage.show(other)).toMatchObject({ account: 'b' })
  })

  it('law 10: where nobody can take it a person is told, and a login ends it without them', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one', { account: 'a' })
    stage.host.accounts.get('a')!.login = 'out'
    stage.host.sees(session, { kind: 'login', text: 'Please run /login' })
    const waiting = await stage.untilSession(session, ({ attention }) => attention !== null)
    expect(waiting.attention).toMatch(/logged out/)
    expect(waiting.phase).toBe('waiting')
    // The person who logs in may do so in this very pane: nothing is restarted for a login.
    expect(stage.host.processes.size).toBe(1)
    stage.host.accounts.get('a')!.login = 'in'
    const up = await stage.untilOn(session, 'a', 40 * minute, 30 * second)
    expect(up.attention).toBeNull()
  })

  it('law 5: where the start fails on one account it is undone, and the next account takes the session whole', async () => {
    const stage = await open({ accounts: ['a', 'b', 'c'] })
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    stage.host.accounts.get('c')!.used = 0.5
    stage.host.fails('launchAgent', faults.launchFailed('it ended at its start'), (name) => name === 'b')
    await stage.hitsWall(session, 'a')
    const { rescueLog, rescues } = await stage.untilOn(session, 'c')
    expect(stage.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to b',
      'launchAgent b#2',
      'stopAgent b#2',
      'carry to c',
      'launchAgent c#3',
    ])
    expect(rescueLog).toHaveLength(1)
    expect(rescueLog[0]!.steps).toContainEqual(
      expect.objectContaining({ name: 'on b', fault: 'it ended at its start' }),
    )
    expect(rescues).toBe(1)
    const b = (await stage.view()).accounts.find(({ name }) => name === 'b')
    expect(Date.parse(b!.restUntil!)).toBeGreaterThan(await stage.theatre.now())
    expect(await stage.leases()).toEqual({ a: [], b: [], c: [session] })
  })

  it('law 5: where the conversation cannot be brought over whole nothing is started, and the next account takes it; none is held to account for it', async () => {
    const stage = await open({ accounts: ['a', 'b', 'c'] })
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    stage.host.accounts.get('c')!.used = 0.5
    stage.host.fails('carry', faults.carryFailed('no room on b'), (name) => name === 'b')
    await stage.hitsWall(session, 'a')
    const { rescueLog } = await stage.untilOn(session, 'c')
    expect(stage.host.launches.map(({ place }) => place.name)).toEqual(['a', 'c'])
    const fault = expect.objectContaining({ name: 'on b', fault: 'no room on b' }) as unknown
    expect(rescueLog[0]!.steps).toContainEqual(fault)
    const b = (await stage.view()).accounts.find(({ name }) => name === 'b')
    expect(b!.restUntil).toBeNull()
  })

  it('law 10: after a carry that failed the account is tried again, and nothing is paid for until it is walled', async () => {
    const stage = await open({ accounts: ['a', 'b'], substrates: ['key'] })
    const one = await stage.up('one', { account: 'a', prompt: 'begin' })
    const two = await stage.up('two', { account: 'b', prompt: 'begin' })
    for (let times = 0; times < 3; times++)
      stage.host.fails('carry', faults.carryFailed('no room on b'), (name) => name === 'b')
    await stage.hitsWall(one, 'a')
    const waiting = await stage.untilSession(one, ({ attention }) => attention !== null)
    expect(waiting).toMatchObject({ phase: 'parked', attention: 'it did not come up on b: no room on b' })
    const carries = (): number => stage.steps(one).filter((step) => step === 'carry to b').length
    await stage.until(
      'another try',
      () => Promise.resolve(carries()),
      (tries) => tries >= 2,
      30 * minute,
    )
    expect(stage.host.launches.map(({ place }) => place.name)).toEqual(['a', 'b'])
    await stage.hitsWall(two, 'b')
    await stage.untilAway(one, 'key', 30 * minute, 5 * second)
  })

  it('law 3: a conversation held by a foreign process waits, says so, and is taken up when it is free', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const held = faults.conversationHeld('x', 4711)
    stage.host.fails('launchAgent', held)
    stage.host.fails('launchAgent', held)
    const session = await stage.start('one', { account: 'a' })
    const waiting = await stage.untilSession(session, ({ attention }) => attention !== null)
    expect(waiting).toMatchObject({ phase: 'parked' })
    expect(waiting.attention).toContain('4711')
    expect(stage.host.processes.size).toBe(0)
    // No account of the pool is to blame: none rests for it.
    expect((await stage.view()).accounts.map(({ restUntil }) => restUntil)).toEqual([null, null])
    const up = await stage.untilSession(session, ({ phase }) => phase === 'working', 10 * minute, 5 * second)
    expect(up.attention).toBeNull()
    expect(stage.host.asked.filter(({ step }) => step === 'launchAgent')).toHaveLength(3)
  })

  const ownFaults = [
    faults.conversationUnreachable('x', 'it was last written at /gone'),
    faults.conversationHeld('x', 4711),
  ]
  it.each(ownFaults)('law 5: what is wrong with its own past is no reason to pay: $type', async (fault) => {
    const stage = await open({ accounts: ['a', 'b'], substrates: ['key'] })
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    for (let times = 0; times < 3; times++) stage.host.fails('launchAgent', fault)
    await stage.hitsWall(session, 'a')
    const waiting = await stage.untilSession(session, ({ attention }) => attention !== null)
    expect(waiting).toMatchObject({ phase: 'parked', attention: fault.message })
    await stage.untilOn(session, 'b', 30 * minute, 5 * second)
    const tried = stage.host.asked.filter(({ step, account }) => step === 'launchAgent' && account !== 'a')
    expect(tried.map(({ account }) => account)).toEqual(['b', 'b', 'b', 'b'])
    const rests = (await stage.view()).accounts.map(({ restUntil }) => restUntil)
    expect(rests).toEqual(rests.map(() => null))
  })
})
