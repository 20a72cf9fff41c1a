/**
 * A fleet on two hosts, with one engine and one key: one host falls silent, which every command and the Web UI say, while the other
 * goes on; then it is back. By night, since a host counts as silent after half a minute and needs a person after a whole one.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { sealedClient } from '../../lab/engine/sealed.js'
import { type Fleet, startFleet } from '../../lab/fleet.js'
import { conversationText } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import type { SessionView } from '../../policy/session/session.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)
type Listed = SessionView & { silentSince?: string | null }

let here: Fleet
let there: Fleet
let notified: string

beforeAll(async () => {
  here = await startFleet({
    accounts: ['max-1', 'max-2', 'max-3'],
    config: {
      notices: {
        settleFor: '1s',
        to: [
          {
            name: 'me',
            command: ['/bin/sh', '-c', 'cat >> notified; echo "--- $OUTPOOL_NOTICE" >> notified'],
          },
        ],
      },
    },
  })
  notified = join(here.dir, 'notified')
  for (const name of ['max-1', 'max-2', 'max-3'])
    here.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  await here.up()
  await here.untilRead()
  there = here.addHost('there')
  await there.up()
})
afterAll(() => here.close())

const start = async (host: Fleet, name: string, account: string): Promise<void> => {
  const args = ['start', name, '--cwd', here.world.cwd, '--account', account, '--', `Hello, ${name}.`]
  expect(await host.run(...args)).toMatchObject({ code: 0 })
  await until(
    `${name} at rest`,
    () => host.json<Listed[]>('ls'),
    (rows) => rows.some((row) => row.name === name && row.phase === 'idle' && row.account === account),
  )
}

const listed = (name: string) => (): Promise<Listed | undefined> =>
  here.json<Listed[]>('ls').then((rows) => rows.find((row) => row.name === name))

const untilNotified = (what: RegExp): Promise<string> =>
  until(
    `a notice with ${String(what)}`,
    () => Promise.resolve(existsSync(notified) ? readFileSync(notified, 'utf8') : ''),
    (text) => what.test(text),
  )

/** The page of the session in the Web UI, once it is as wanted. */
async function untilPage(name: string, wanted: (page: string) => boolean): Promise<void> {
  const home = openHome(here.env)
  const connection = await Connection.connect({ address: readEngine(home)!.address })
  try {
    const handle = sealedClient(home, connection).workflow.getHandle(sessionWorkflowId(name))
    await until(
      `the page of ${name}`,
      () => handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata'),
      ({ currentDetails = '' }) => wanted(currentDetails),
    )
  } finally {
    await connection.close()
  }
}

const promptsWith = (text: string): number =>
  here.world.standIn
    .requests({ kind: 'turn' })
    .filter((request) => conversationText(request).trimEnd().endsWith(text)).length

describe('two hosts', () => {
  it('each shows the sessions of both, and each session is of its host', async () => {
    await start(here, 'near', 'max-1')
    await start(there, 'far', 'max-2')
    const [ofHere, ofThere] = [openHome(here.env).hostId, openHome(there.env).hostId]
    expect(ofHere).not.toBe(ofThere)
    for (const host of [here, there]) {
      const rows = await host.json<Listed[]>('ls')
      expect(rows.map(({ name, host: of, silentSince }) => [name, of, silentSince])).toEqual([
        ['far', ofThere, undefined],
        ['near', ofHere, undefined],
      ])
    }
  })

  it('law 14: a host that stops is said to be silent, and a person is notified after a minute', async () => {
    await there.down('SIGKILL')
    const far = await until('the silence of far', listed('far'), (row) => row?.silentSince !== undefined)
    expect(far?.attention).toBeNull()
    expect((await here.run('ls')).stdout).toMatch(/^far +unheard for \d+ (s|min), was \w+/m)
    expect((await here.run('top')).stdout).toMatch(/^far +unheard/m)
    expect(await here.show('far')).toMatchObject({ silentSince: expect.any(String) as string })
    expect(await here.run('send', 'far', 'Are you there?')).toMatchObject({
      ...{
        code: 0,
        stdout: expect.stringMatching(/^accepted.*; it waits for the worker of its host/) as string,
      },
    })
    const needed = await until('its attention', listed('far'), (row) => row?.attention !== null)
    expect(needed?.attention).toMatch(
      /^the worker of its host .* was last heard of at .*start it there with `outpool up`/,
    )
    await untilNotified(/was last heard of at .*1 session there is not watched/)
    await untilPage('far', (page) => page.startsWith('**Not watched:** the worker of its host'))
    expect((await listed('near')())?.silentSince).toBeUndefined()
  })

  it('law 14: meanwhile the sessions of the other host are moved', async () => {
    here.world.standIn.account('max-1').wall('five_hour', hours(3))
    expect(await here.run('send', 'near', 'Go on.')).toMatchObject({ code: 0 })
    const near = await here.untilSession(
      'near',
      ({ phase, account }) => phase === 'idle' && account !== 'max-1',
    )
    expect(near).toMatchObject({ rescues: 1, attention: null })
    expect((await listed('far')())?.account).toBe('max-2')
  })

  it('law 5, law 14: once it is back it is said so, and what was sent meanwhile is delivered once', async () => {
    await there.up()
    await until(
      'far heard of',
      listed('far'),
      (row) => row?.silentSince === undefined && row?.attention === null,
    )
    await until(
      'the text in far',
      () => Promise.resolve(promptsWith('Are you there?')),
      (count) => count > 0,
    )
    await untilNotified(/is heard of again/)
    await untilPage('far', (page) => page.startsWith('**up**'))
    await until(
      'far at rest',
      () => there.json<Listed[]>('ls'),
      (rows) => rows.some(({ name, phase }) => name === 'far' && phase === 'idle'),
    )
    expect(promptsWith('Are you there?')).toBe(1)
    here.world.standIn.account('max-2').wall('five_hour', hours(3))
    expect(await there.run('send', 'far', 'Go on, too.')).toMatchObject({ code: 0 })
    await until('the rescue of far', listed('far'), (row) => row?.rescues === 1 && row.account !== 'max-2')
  })
})
