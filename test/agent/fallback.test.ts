/**
 * With every account spent, the real agent program continues on an API key, and fails back. Against the
 * stand-in API.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { textOf, type RecordedRequest } from '../../lab/standin/requests.js'
import { byNight } from '../byNight.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
const account = (name: string) => fleet.world.standIn.account(name)

const turns = (sessionId: string): RecordedRequest[] =>
  fleet.world.standIn
    .requests({ kind: 'turn' })
    .filter((request) => request.sessionId === sessionId && !request.subagent)

const saidIn = (request: RecordedRequest): string =>
  request.messages.map(({ content }) => textOf(content)).join('\n')

async function open(substrates: object[], more: object = {}): Promise<void> {
  fleet = await startFleet({
    accounts: ['max-1', 'max-2'],
    reserved: ['medic'],
    // The program repeats its cached usage for a minute: asking more often shows nothing new.
    config: { substrates, timing: { probeEvery: '20s' }, ...more },
  })
  for (const name of ['max-1', 'max-2', 'medic'])
    account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
}

const keyOf = (name: string): object => ({
  name,
  model: 'claude-haiku-4-5',
  // One retry: the program's own ten take minutes.
  env: { ANTHROPIC_API_KEY: { fromEnv: `KEY_OF_${name.toUpperCase()}` }, CLAUDE_CODE_MAX_RETRIES: '1' },
})

/** The stand-in makes up the keys; the configuration names only the variables that hold them. */
async function up(...keys: string[]): Promise<void> {
  for (const name of keys) fleet.env[`KEY_OF_${name.toUpperCase()}`] = account(name).apiKey
  await fleet.up()
}

async function begin(name: string, prompt: string): Promise<void> {
  const { code, stderr } = await fleet.run(
    'start',
    name,
    '--cwd',
    fleet.world.cwd,
    '--account',
    'max-1',
    '--',
    prompt,
  )
  expect([code, stderr]).toEqual([0, ''])
  await fleet.untilSession(name, ({ phase, account: on }) => phase === 'idle' && on === 'max-1')
}

/** Every account of the pool refuses until then. */
function drain(reset: Date): void {
  for (const name of ['max-1', 'max-2'])
    account(name)
      .wall('five_hour', reset)
      .windows({ five_hour: { used: 1, resetsAt: reset } })
}

afterEach(async () => {
  // Whatever the pool did, nothing ran on the healer's account.
  const healers = fleet.world.standIn.requests().filter((request) => request.account === 'medic')
  await fleet.close()
  expect(healers).toEqual([])
})

it('law 2, law 5: all accounts walled: continues on a key, on a fork; fails back with the hand-over; the original holds only what was said on accounts', async () => {
  // A fork is old after a second here: it is kept because it is still to be handed over.
  await open([keyOf('spare')], { keep: { every: '1s', forks: { maxAge: '1s' } } })
  await up('spare')
  await begin('alpha', 'Remember the word heron.')
  const reset = new Date(Date.now() + 40_000)
  drain(reset)
  expect((await fleet.run('send', 'alpha', 'Now the long task.')).code).toBe(0)

  const onFallback = await fleet.untilSession(
    'alpha',
    ({ phase, substrate }) => phase === 'idle' && substrate === 'spare',
  )
  const { sessionId, fork } = onFallback
  expect(onFallback).toMatchObject({ account: null, model: 'claude-haiku-4-5' })
  const onFork = turns(fork!)
  expect(onFork.at(-1)).toMatchObject({ account: 'spare', outcome: 'answered' })
  expect(saidIn(onFork.at(-1)!)).toContain('Remember the word heron.')
  const original = (): string => {
    const file = readdirSync(projects, { recursive: true, encoding: 'utf8' }).find((name) =>
      name.endsWith(`${sessionId}.jsonl`),
    )
    return readFileSync(join(projects, file!), 'utf8')
  }
  const projects = join(fleet.world.dir, 'logins', onFallback.rescueLog.at(-1)!.from!, 'projects')
  const before = original()

  expect((await fleet.run('send', 'alpha', 'Said to the fork: the word egret.')).code).toBe(0)
  await until(
    'the answer on the fork',
    () => Promise.resolve(turns(fork!)),
    (all) => all.some((request) => saidIn(request).includes('egret') && request.outcome === 'answered'),
  )
  const forkFile = onFallback.transcript!
  expect(forkFile).toContain(fork!)
  await until(
    'the reset',
    () => Promise.resolve(Date.now()),
    (now) => now > reset.getTime(),
  )
  for (const name of ['max-1', 'max-2']) account(name).windows({ five_hour: { used: 0, resetsAt: hours(5) } })
  const onAccount = await fleet.untilSession(
    'alpha',
    ({ phase, account: on }) => phase === 'idle' && on !== null,
  )
  expect(onAccount).toMatchObject({ substrate: null, fork: null, sessionId })
  expect(onAccount.rescueLog.at(-1)).toMatchObject({ cause: 'home', from: 'spare' })
  // No turn is spent for the hand-over alone.
  expect(turns(sessionId).filter((request) => Date.parse(request.at) > reset.getTime())).toEqual([])
  expect(original()).toBe(before)
  expect(readFileSync(forkFile, 'utf8')).toContain('egret')

  expect((await fleet.run('send', 'alpha', 'And now?')).code).toBe(0)
  const next = await until(
    'the next turn on the account',
    () => Promise.resolve(turns(sessionId).at(-1)),
    (request) => request !== undefined && saidIn(request).includes('And now?'),
  )
  expect(next!.account).toBe(onAccount.account)
  expect(saidIn(next!)).toContain('Said to the fork: the word egret.')
  expect(saidIn(next!)).toContain(forkFile)
  const said = readFileSync((await fleet.show('alpha')).transcript!, 'utf8')
  expect(said.startsWith(before)).toBe(true)
  expect(said).not.toContain('"content":"Said to the fork: the word egret."')

  expect((await fleet.run('send', 'alpha', 'Once more.')).code).toBe(0)
  const again = await until(
    'the turn after it',
    () => Promise.resolve(turns(sessionId).at(-1)),
    (request) => request !== undefined && saidIn(request).includes('Once more.'),
  )
  expect(saidIn(again!).split('outpool hand-over')).toHaveLength(2)
  await until(
    'the deletion of the fork that was handed over',
    () => Promise.resolve(existsSync(forkFile)),
    (isThere) => !isThere,
  )
  expect(original().startsWith(before)).toBe(true)
})

byNight(
  'law 6: a key that is rejected, and one that is overloaded, end the stay there: the next takes over, and finally the session is parked',
  async () => {
    await open([keyOf('first'), keyOf('second')])
    account('first').fail('throttled-no-retry')
    account('second').fail('overloaded')
    await up('first', 'second')
    await begin('bravo', 'Hello.')
    drain(hours(3))
    expect((await fleet.run('send', 'bravo', 'Into the wall.')).code).toBe(0)
    const parked = await fleet.untilSession('bravo', ({ phase }) => phase === 'parked')
    // What the pool knew of the second account was from before it was walled: it may have been tried first.
    const log = parked.rescueLog.slice(-3)
    expect(log.map(({ to }) => to)).toEqual(['first', 'second', null])
    expect(log.map(({ wall }) => wall?.kind)).toEqual(['five_hour', 'rate_limit', 'overloaded'])
  },
)
