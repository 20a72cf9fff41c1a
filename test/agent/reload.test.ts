/** A changed outpool.yaml is taken over while sessions run, on real parts. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { promptsOf, type RecordedRequest, textOf } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'

let fleet: Fleet
let file: string
/** The login that is added while the session runs. */
let added: string

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

beforeAll(async () => {
  fleet = await startFleet({ accounts: ['max-1'] })
  file = join(fleet.dir, 'outpool.yaml')
  writeFileSync(file, `# Mine.\n${readFileSync(file, 'utf8')}`)
  added = fleet.world.login('max-2').configDir
  for (const name of ['max-1', 'max-2'])
    fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  await fleet.up()
  const { code } = await fleet.run(
    'start',
    'docs',
    '--cwd',
    fleet.world.cwd,
    '--',
    'Remember the word heron.',
  )
  expect(code).toBe(0)
  await fleet.untilSession('docs', ({ phase }) => phase === 'idle')
})
afterAll(() => fleet.close())

const done = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await fleet.run(...args)
  expect(code, stderr).toBe(0)
  return stdout + stderr
}

const lastPrompt = (request: RecordedRequest): string => promptsOf(request).at(-1) ?? ''

interface Row {
  name: string
  state: string
  leases: string[]
}
const rows = () => fleet.json<Row[]>('accounts')

const untilLogged = (text: string) =>
  until(
    'the log',
    () => Promise.resolve(fleet.log()),
    (log) => log.includes(text),
  )

it('an account is added with the file’s comments kept, and the session runs on as it was', async () => {
  const { pid, pane } = await fleet.show('docs')
  expect(await done('accounts', 'add', 'max-2', '--config-dir', added)).toContain(
    'the running worker uses it',
  )
  expect(readFileSync(file, 'utf8')).toContain('# Mine.\n')
  await untilLogged(`took over ${file}: accounts: max-2 added`)
  expect((await rows()).map(({ name }) => name)).toEqual(['max-1', 'max-2'])
  const taken = fleet.events().filter((event) => event.kind === 'configuration-taken')
  expect(taken.map((event) => [event.file, event.accounts])).toEqual([
    [file, 1],
    [file, 2],
  ])
  expect(await fleet.show('docs')).toMatchObject({ pid, pane, phase: 'idle', account: 'max-1' })
})

it('a wrong file is refused on one line, and everything goes on with the old one', async () => {
  const good = readFileSync(file, 'utf8')
  writeFileSync(file, good.replace('retryEvery: 5s', 'retryEvery: soon'))
  await untilLogged('the old configuration stays in use: line')
  const kept = fleet
    .log()
    .split('\n')
    .filter((line) => line.includes('stays in use'))
  expect(kept).toHaveLength(1)
  expect(kept[0]).toContain('timing.retryEvery is "soon"')
  await done('send', 'docs', 'Are you there?')
  await until(
    'the answer',
    () => Promise.resolve(fleet.world.standIn.requests({ kind: 'turn' })),
    (turns) => turns.some((request) => lastPrompt(request).includes('Are you there?')),
  )
  writeFileSync(file, good)
  await untilLogged('is again as it is in use')
})

it('law 5: an account in use is drained: its session leaves it at the turn end, whole, and it can be removed', async () => {
  expect(await fleet.run('accounts', 'remove', 'max-1')).toMatchObject({ code: 1 })
  await done('accounts', 'drain', 'max-1')
  const moved = await fleet.untilSession(
    'docs',
    ({ phase, account }) => phase === 'idle' && account === 'max-2',
  )
  expect(moved.rescueLog.map(({ cause, from, to }) => ({ cause, from, to }))).toEqual([
    { cause: 'move', from: 'max-1', to: 'max-2' },
  ])
  const [drained] = await rows()
  expect(drained).toMatchObject({ name: 'max-1', state: 'disabled', leases: [] })
  expect(await done('accounts')).toContain('max-1 is empty')
  await done('accounts', 'remove', 'max-1')
  expect((await rows()).map(({ name }) => name)).toEqual(['max-2'])

  await done('send', 'docs', 'Which word?')
  const answered = await fleet.world.standIn.waitForRequest(
    (request) => request.account === 'max-2' && lastPrompt(request).includes('Which word?'),
  )
  expect(answered.messages.map(({ content }) => textOf(content)).join('\n')).toContain('heron')
})

it('law 5: an account that is removed by hand is left like one that is drained', async () => {
  const again = fleet.world.login('max-1').configDir
  await done('accounts', 'add', 'max-1', '--config-dir', again)
  // Written by a person, with the session still on max-2.
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/^ +- name: max-2\n(?: {6,}.*\n)*/m, ''))
  await untilLogged('accounts: max-2 removed')
  const moved = await fleet.untilSession(
    'docs',
    ({ phase, account }) => phase === 'idle' && account === 'max-1',
  )
  expect(moved.rescueLog.at(-1)).toMatchObject({ cause: 'move', from: 'max-2', to: 'max-1' })
})

it('a session takes on the timing, and a command elsewhere uses the file of the worker', async () => {
  writeFileSync(file, readFileSync(file, 'utf8').replace('retryEvery: 5s', 'retryEvery: 7s'))
  await untilLogged('timing changed')
  expect(await done('config', 'check')).toContain('the running worker uses it')
  writeFileSync(join(fleet.world.cwd, 'outpool.yaml'), stringify({ pool: { accounts: [] } }))
  const other = await fleet.runIn(fleet.world.cwd, 'config', 'path')
  expect(other).toMatchObject({ code: 0, stdout: `${file}\n` })
})
