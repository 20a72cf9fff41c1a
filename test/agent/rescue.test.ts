/**
 * The main task on real parts: the real agent program in real tmux under the real engine, against the
 * stand-in API.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { byNight, describeByNight } from '../byNight.js'
import { eventSchema } from '../../config/events/schema.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'
import { textOf, type RecordedRequest } from '../../lab/standin/requests.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet

/**
 * The pool keeps what it has learned of an account between two tests: tests that share a fleet use different
 * accounts.
 */
function startWith(size: number, engine: 'own' | 'shared'): void {
  const names = Array.from({ length: size }, (_, index) => `max-${index + 1}`)
  beforeAll(async () => {
    fleet = await startFleet({ engine, accounts: names })
    for (const name of names) roomy(name)
    await fleet.up()
    await fleet.untilRead()
  })
  afterAll(() => fleet.close())
}

const account = (name: string) => fleet.world.standIn.account(name)

/** Well below every limit. */
function roomy(name: string): void {
  account(name).windows({
    five_hour: { used: 0.2, resetsAt: hours(4) },
    seven_day: { used: 0.2, resetsAt: hours(90) },
  })
}

async function begin(name: string, on: string, prompt = `Hello from ${name}`): Promise<void> {
  const { code, stderr } = await fleet.run(
    'start',
    name,
    '--cwd',
    fleet.world.cwd,
    '--account',
    on,
    '--',
    prompt,
  )
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const begun = await fleet.untilSession(name, ({ phase, account: at }) => phase === 'idle' && at === on)
  expect(begun.rescueLog).toEqual([])
}

const send = async (name: string, text: string): Promise<void> => {
  expect((await fleet.run('send', name, text)).code).toBe(0)
}

/** No session is left to be moved when the next test uses an account. */
const end = async (name: string): Promise<void> => {
  expect((await fleet.run('stop', name)).code).toBe(0)
}

const turns = (sessionId: string): RecordedRequest[] =>
  fleet.world.standIn
    .requests({ kind: 'turn' })
    .filter((request) => request.sessionId === sessionId && !request.subagent)

const saidIn = (request: RecordedRequest): string =>
  request.messages.map(({ content }) => textOf(content)).join('\n')

/** Processes of the agent program that hold this conversation, as the system sees them. */
const holders = (sessionId: string): string[] =>
  fleet
    .processes()
    .filter((line) => line.includes(sessionId) && line.includes('claude') && !line.includes('tmux'))

describe('sessions of one fleet', () => {
  startWith(6, 'own')

  describe('a session that hits the wall', () => {
    it('law 5: goes on under another account with its whole conversation and the same id', async () => {
      await begin('alpha', 'max-1', 'Remember the word heron.')
      account('max-1').wall('five_hour', hours(3))
      await send('alpha', 'Now the long task.')
      const moved = await fleet.untilSession(
        'alpha',
        ({ phase, rescues }) => rescues === 1 && phase === 'idle',
      )
      expect(moved.account).not.toBe('max-1')
      const last = turns(moved.sessionId).at(-1)!
      expect(last.account).toBe(moved.account)
      expect(saidIn(last)).toContain('Remember the word heron.')
      expect(saidIn(last)).toContain('Answer 1 of this conversation.')
      expect(saidIn(last)).toContain('Now the long task.')
      expect(moved.transcript).toContain(`/logins/${moved.account ?? ''}/`)
      const [entry] = moved.rescueLog
      expect(entry).toMatchObject({
        n: 1,
        cause: 'wall',
        from: 'max-1',
        to: moved.account,
        wall: { kind: 'five_hour', scope: 'account' },
      })
      expect(entry?.steps.map(({ name }) => name.split(' ')[0])).toEqual([
        'stop',
        'clear',
        'carry',
        'prepare',
        'respawn',
        'verify',
        'prompt',
      ])
      expect(holders(moved.sessionId)).toHaveLength(1)
      await end('alpha')
    })

    it('law 14: its events, its rescue log and the log of the worker tell the same', async () => {
      const { rescueLog } = await fleet.show('alpha')
      const { stdout } = await fleet.run('events', '--session', 'alpha', '--json')
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => eventSchema.parse(JSON.parse(line)))
      expect(events.map(({ kind }) => kind)).toEqual([
        'session-started',
        'session-walled',
        'session-moved',
        'session-stopped',
      ])
      const moved = events.find((event) => event.kind === 'session-moved')
      const [{ n, cause, from, to, wall, steps, startedAt, endedAt }] = rescueLog as [(typeof rescueLog)[0]]
      expect(moved).toMatchObject({ n, cause, from, to, steps })
      expect(moved?.wall).toMatchObject({ kind: wall!.kind, scope: wall!.scope, resetsAt: wall!.resetsAt })
      expect(moved?.ms).toBe(Date.parse(endedAt!) - Date.parse(startedAt))
      const lines = readFileSync(join(fleet.dir, 'up.log'), 'utf8').split('\n')
      const ofAlpha = lines.filter((line) => / alpha: /.test(line))
      expect(ofAlpha).toHaveLength(3)
      expect(ofAlpha[1]).toMatch(
        new RegExp(
          `^\\S+ info  alpha: ${from!} walled \\(five_hour, until .*\\) → ${to!}, same conversation, [\\d.]+ s$`,
        ),
      )
    })

    it('law 5: a text sent during the rescue arrives once, afterwards, in order', async () => {
      await begin('bravo', 'max-2')
      account('max-2').wall('seven_day', hours(50))
      await send('bravo', 'First: walk into the wall.')
      await fleet.untilSession('bravo', ({ phase }) => phase === 'rescuing')
      await send('bravo', 'Second: said during the rescue.')
      await send('bravo', 'Third: said during the rescue.')
      const { sessionId } = await fleet.show('bravo')
      const last = await until(
        'the third text',
        () => Promise.resolve(turns(sessionId).at(-1)),
        (request) => request !== undefined && saidIn(request).includes('Third:'),
      )
      const said = saidIn(last!)
      for (const text of ['First:', 'Second:', 'Third:']) expect(said.split(text)).toHaveLength(2)
      expect(said.indexOf('Second:')).toBeLessThan(said.indexOf('Third:'))
      await end('bravo')
    })

    byNight('law 6: an answer that mentions a limit is not a wall', async () => {
      await begin('charlie', 'max-3')
      account('max-3').answer("You've hit your 5-hour limit · resets 9:50pm (UTC)")
      await send('charlie', 'Quote the limit text.')
      const { sessionId } = await fleet.show('charlie')
      await until(
        'the quoting turn',
        () => Promise.resolve(turns(sessionId).length),
        (count) => count === 2,
      )
      account('max-3').answer(null)
      await send('charlie', 'Go on.')
      await until(
        'the next turn',
        () => Promise.resolve(turns(sessionId).length),
        (count) => count === 3,
      )
      const after = await fleet.untilSession('charlie', ({ phase }) => phase === 'idle')
      expect(after).toMatchObject({ account: 'max-3', rescues: 0, rescueLog: [] })
      await end('charlie')
    })
  })

  describe('other failures have other answers (law 6)', () => {
    it('law 6: a lost login: the session moves, and the account takes none until a login is seen', async () => {
      await begin('golf', 'max-3')
      account('max-3').revoked = true
      await send('golf', 'With a dead login.')
      const moved = await fleet.untilSession(
        'golf',
        ({ phase, account: at }) => phase === 'idle' && at !== 'max-3',
      )
      expect(moved.rescueLog.at(-1)).toMatchObject({ cause: 'login', from: 'max-3' })
      expect(moved.rescues).toBe(0)
      const accounts = await fleet.json<{ name: string; state: string }[]>('accounts')
      expect(accounts.find(({ name }) => name === 'max-3')?.state).toBe('logged-out')
      await end('golf')
    })

    byNight('law 7: an agent that is killed is resumed on its own account, once', async () => {
      await begin('hotel', 'max-4')
      const { pid } = await fleet.show('hotel')
      process.kill(pid!, 'SIGKILL')
      const again = await fleet.untilSession(
        'hotel',
        (now) => now.phase === 'idle' && now.pid !== pid && now.pid !== null,
      )
      expect(again.account).toBe('max-4')
      expect(again.rescueLog.at(-1)).toMatchObject({ cause: 'crash', from: 'max-4', to: 'max-4' })
      expect(holders(again.sessionId)).toHaveLength(1)
      await end('hotel')
    })

    byNight('law 7: when the tmux server is killed, every session is started again, once each', async () => {
      await Promise.all([begin('india', 'max-4'), begin('juliett', 'max-5')])
      fleet.tmux('kill-server')
      for (const name of ['india', 'juliett']) {
        const again = await fleet.untilSession(
          name,
          (now) => now.phase === 'idle' && now.rescueLog.at(-1)?.endedAt != null,
        )
        expect(again.rescueLog).toHaveLength(1)
        expect(again.rescueLog[0]?.cause).toBe('crash')
        expect(holders(again.sessionId)).toHaveLength(1)
        await end(name)
      }
    })
  })

  describe('before the wall, and by hand', () => {
    it('moves at the end of a turn once the account is nearly spent', async () => {
      await begin('kilo', 'max-5')
      account('max-5').windows({ five_hour: { used: 0.97, resetsAt: hours(3) } })
      await send('kilo', 'One more turn.')
      const moved = await fleet.untilSession(
        'kilo',
        ({ phase, account: at }) => phase === 'idle' && at !== 'max-5',
      )
      expect(moved.rescueLog.at(-1)).toMatchObject({ cause: 'near-limit', from: 'max-5', wall: null })
      expect(moved.rescues).toBe(0)
      const turn = turns(moved.sessionId).find((request) => saidIn(request).includes('One more turn.'))
      expect(turn).toMatchObject({ account: 'max-5', outcome: 'answered' })
      await end('kilo')
    })

    it('moves where a person says, pauses, resumes and stops', async () => {
      await begin('lima', 'max-4')
      expect((await fleet.run('move', 'lima', '--to', 'max-6')).code).toBe(0)
      const moved = await fleet.untilSession(
        'lima',
        ({ phase, account: at }) => phase === 'idle' && at === 'max-6',
      )
      expect(moved.rescueLog.at(-1)).toMatchObject({ cause: 'move', from: 'max-4', to: 'max-6' })
      // Its account is not walled: it moves, which is no rescue.
      expect(await fleet.run('rescue', 'lima')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('leaves max-6, which is not walled') as string,
      })
      const left = await fleet.untilSession(
        'lima',
        ({ phase, account: at }) => phase === 'idle' && at !== 'max-6',
      )
      expect(left.rescueLog.at(-1)).toMatchObject({
        cause: 'move',
        from: 'max-6',
        to: left.account,
        wall: null,
      })
      expect(left.rescues).toBe(0)
      expect((await fleet.run('pause', 'lima')).code).toBe(0)
      const paused = await fleet.untilSession('lima', ({ phase }) => phase === 'paused')
      expect(holders(paused.sessionId)).toHaveLength(0)
      expect((await fleet.run('resume', 'lima')).code).toBe(0)
      const again = await fleet.untilSession('lima', ({ phase }) => phase === 'idle')
      expect(holders(again.sessionId)).toHaveLength(1)
      expect((await fleet.run('stop', 'lima')).code).toBe(0)
      const stopped = await fleet.untilSession('lima', ({ phase }) => phase === 'stopped')
      expect(holders(stopped.sessionId)).toHaveLength(0)
      expect((await fleet.run('send', 'lima', 'too late')).code).toBe(1)
    })
  })
})

describeByNight('all accounts but one are walled', () => {
  startWith(3, 'shared')

  it('law 4: two sessions at one wall move, and neither onto an account that is walled', async () => {
    await Promise.all([begin('delta', 'max-1'), begin('echo', 'max-1')])
    account('max-1').wall('five_hour', hours(3))
    account('max-2').wall('five_hour', hours(3))
    await Promise.all([send('delta', 'On with it.'), send('echo', 'On with it.')])
    for (const name of ['delta', 'echo']) {
      const moved = await fleet.untilSession(
        name,
        ({ phase, account: at }) => phase === 'idle' && at === 'max-3',
      )
      expect(moved.rescueLog.at(-1)).toMatchObject({ to: 'max-3' })
      expect(holders(moved.sessionId)).toHaveLength(1)
    }
  })
})

describeByNight('all accounts are walled', () => {
  startWith(3, 'shared')

  it('law 10: with every account walled it is parked, and starts again without help after the reset', async () => {
    await begin('foxtrot', 'max-1')
    const reset = new Date(Date.now() + 25_000)
    for (const name of ['max-2', 'max-3'])
      account(name)
        .wall('five_hour', hours(2))
        .windows({ five_hour: { used: 1, resetsAt: hours(2) } })
    account('max-1')
      .wall('five_hour', reset)
      .windows({ five_hour: { used: 1, resetsAt: reset } })
    await send('foxtrot', 'Into the wall.')
    const parked = await fleet.untilSession('foxtrot', ({ phase }) => phase === 'parked')
    expect(parked.parkedUntil).not.toBeNull()
    expect(parked.rescueLog.at(-1)).toMatchObject({ cause: 'wall', to: null })
    expect(holders(parked.sessionId)).toHaveLength(0)
    await until(
      'the reset',
      () => Promise.resolve(Date.now()),
      (now) => now > reset.getTime(),
    )
    account('max-1').windows({ five_hour: { used: 0, resetsAt: hours(5) } })
    const awake = await fleet.untilSession('foxtrot', ({ phase }) => phase === 'idle')
    expect(awake.account).toBe('max-1')
    expect(awake.rescueLog.at(-1)).toMatchObject({ cause: 'wake', to: 'max-1' })
    expect(saidIn(turns(awake.sessionId).at(-1)!)).toContain('Into the wall.')
  })
})
