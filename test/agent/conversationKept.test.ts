/** Sessions of the real program whose accounts and processes are removed. */
import { renameSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'
import { textOf, type RecordedRequest } from '../../lab/standin/requests.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)
const names = ['max-1', 'max-2', 'max-3']
/** Used up from the start: what is known of it is right, however long ago it was probed. */
const spent = 'max-4'

let fleet: Fleet
beforeAll(async () => {
  fleet = await startFleet({ accounts: [...names, spent] })
  for (const name of names)
    fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  fleet.world.standIn.account(spent).windows({ five_hour: { used: 1, resetsAt: hours(3) } })
  await fleet.up()
  await fleet.untilRead()
})
afterAll(() => fleet.close())

const turns = (sessionId: string): RecordedRequest[] =>
  fleet.world.standIn
    .requests({ kind: 'turn' })
    .filter((request) => request.sessionId === sessionId && !request.subagent)

const saidIn = (request: RecordedRequest): string =>
  request.messages.map(({ content }) => textOf(content)).join('\n')

async function begin(name: string, on: string, prompt: string) {
  const start = await fleet.run('start', name, '--cwd', fleet.world.cwd, '--account', on, '--', prompt)
  expect(start.code).toBe(0)
  return fleet.untilSession(name, ({ phase, account }) => phase === 'idle' && account === on)
}

/** The worker starts again with another list of accounts. */
async function withAccounts(isKept: (name: string) => boolean): Promise<void> {
  await fleet.down()
  const file = join(fleet.dir, 'outpool.yaml')
  const config = parse(readFileSync(file, 'utf8')) as { pool: { accounts: { name: string }[] } }
  const accounts = config.pool.accounts.filter(({ name }) => isKept(name))
  writeFileSync(file, stringify({ ...config, pool: { ...config.pool, accounts } }))
  await fleet.up()
}

describe('a fleet that loses what its sessions depend on', () => {
  it('law 5: idle sessions that start again after everything was lost are told nothing', async () => {
    const { sessionId } = await begin('quiet', 'max-1', 'Remember the word heron.')
    expect(turns(sessionId)).toHaveLength(1)
    await fleet.down()
    fleet.tmux('kill-server')
    await fleet.up()
    await fleet.untilSession('quiet', ({ phase, rescueLog }) => phase === 'idle' && rescueLog.length === 1)
    expect((await fleet.run('send', 'quiet', 'And which word was it?', '--wait')).code).toBe(0)
    const last = await until(
      'the turn of the text',
      () => Promise.resolve(turns(sessionId)),
      (all) => all.length >= 2,
    )
    // Not a single turn without a prompt.
    expect(last).toHaveLength(2)
    expect(saidIn(last[1]!)).toContain('Remember the word heron.')
    expect(saidIn(last[1]!)).not.toContain('Continue the task')
  })

  it('law 5: a session whose account is no longer configured is rescued whole; without its transcript it waits', async () => {
    const { sessionId, transcript } = await begin('left', 'max-1', 'Remember the word crane.')
    await withAccounts((name) => name !== 'max-1')
    renameSync(transcript!, `${transcript!}.away`)
    expect((await fleet.run('rescue', 'left')).code).toBe(0)
    const waits = await fleet.untilSession(
      'left',
      ({ attention }) => attention?.includes('last written at') === true,
    )
    expect(waits.phase).toBe('parked')
    const accounts = await fleet.json<{ name: string; state: string }[]>('accounts')
    expect(accounts.map(({ state }) => state)).not.toContain('unproven')
    renameSync(`${transcript!}.away`, transcript!)
    const moved = await fleet.untilSession(
      'left',
      ({ phase, account }) => phase === 'idle' && account !== 'max-1',
    )
    expect(moved.sessionId).toBe(sessionId)
    expect((await fleet.run('send', 'left', 'And which word was it?', '--wait')).code).toBe(0)
    const all = await until(
      'the turn of the text',
      () => Promise.resolve(turns(sessionId)),
      (seen) => seen.length >= 2,
    )
    expect(all).toHaveLength(2)
    expect(saidIn(all[1]!)).toContain('Remember the word crane.')
  })

  it('law 4: a move to an account that cannot take the session is refused at once', async () => {
    const { rescueLog } = await begin('stays', 'max-2', 'Hello.')
    const walled = await fleet.run('move', 'stays', '--to', spent)
    expect(walled).toMatchObject({ code: 1, stdout: '' })
    expect(walled.stderr).toContain(`${spent} cannot take stays: walled until`)
    expect(await fleet.run('move', 'stays', '--to', 'nobody')).toMatchObject({ code: 1, stdout: '' })
    expect((await fleet.show('stays')).rescueLog).toEqual(rescueLog)
  })
})
