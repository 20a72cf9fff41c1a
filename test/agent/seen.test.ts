/** What a person learns of a fleet: answers, usage, what waits for them, and that nothing watches when the worker is dead. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SessionView } from '../../policy/session/session.js'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { Browser, hasBrowser } from '../../lab/browser.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'

const outpool = fileURLToPath(new URL('../../dist/client/bin.js', import.meta.url))
const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)
type Listed = SessionView & { silentSince?: string | null }

let fleet: Fleet
let told: string

beforeAll(async () => {
  fleet = await startFleet({
    engine: 'own',
    accounts: ['max-1', 'max-2'],
    agentArgs: ['--permission-mode', 'manual'],
    config: {
      prices: { claude: { input: 3, output: 15 } },
      notices: {
        settleFor: '1s',
        to: [{ name: 'me', command: ['/bin/sh', '-c', 'cat >> told; echo "--- $OUTPOOL_NOTICE" >> told'] }],
      },
    },
  })
  told = join(fleet.dir, 'told')
  for (const name of ['max-1', 'max-2'])
    fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  await fleet.up('--ui')
  const start = await fleet.run(
    ...['start', 'docs', '--cwd', fleet.world.cwd, '--account', 'max-1', '--', 'Hello.'],
  )
  expect(start).toMatchObject({ code: 0 })
  await fleet.untilSession('docs', ({ phase }) => phase === 'idle')
})
afterAll(() => fleet.close())

const listed = async (): Promise<Listed | undefined> =>
  (await fleet.json<Listed[]>('ls')).find(({ name }) => name === 'docs')
const untilTold = (what: RegExp): Promise<string> =>
  until(
    `a notice with ${String(what)}`,
    () => Promise.resolve(existsSync(told) ? readFileSync(told, 'utf8') : ''),
    (text) => what.test(text),
  )

it.skipIf(!(await hasBrowser()))(
  'law 15: the Web UI shows what is sealed once it knows the codec of `outpool ui` (skipped without chromium)',
  async () => {
    const { uiUrl, namespace } = readEngine(openHome(fleet.env))!
    const args = [outpool, 'ui', '--no-open']
    const command = spawn(process.execPath, args, { env: fleet.env, cwd: fleet.dir })
    let printed = ''
    command.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
    try {
      await until(
        'the endpoint of the codec',
        () => Promise.resolve(printed),
        (text) => text.includes('Ctrl-C'),
      )
      const [, codec = ''] = /^Remote codec endpoint: (\S+)$/m.exec(printed) ?? []
      const { sessionId } = await fleet.show('docs')
      const session = `${uiUrl}/namespaces/${namespace}/workflows/session%2Fdocs`
      const browser = await Browser.open({ namespace, columns: [], codec })
      try {
        const run = await until(
          'the run of the session',
          () => browser.runOf(session),
          (found) => found !== null,
        )
        await browser.show(`${run}/user-metadata`, sessionId)
      } finally {
        await browser.close()
      }
    } finally {
      const closed = once(command, 'close')
      command.kill('SIGTERM')
      await closed
    }
  },
)

it('the worker answers for the engine, as the engine would, and again if its socket was removed', async () => {
  const { commandSocket } = openHome(fleet.env)
  const commands = [['ls'], ['ls', '--json'], ['show', 'docs', '--json'], ['accounts', '--json']]
  const printed = async (): Promise<string[]> => {
    const ran = []
    for (const command of commands) ran.push(await fleet.run(...command))
    return ran.map(({ stdout, stderr }) => stdout + stderr)
  }
  // What the agent itself reports at the end of a turn may come between two looks.
  await until(
    'the same by both ways',
    async () => {
      const answered = existsSync(commandSocket) ? await printed() : ['no socket']
      rmSync(commandSocket, { force: true })
      return { answered, read: await printed() }
    },
    ({ answered, read }) => JSON.stringify(answered) === JSON.stringify(read),
  )
  await until('another socket', () => Promise.resolve(existsSync(commandSocket)), Boolean)
})

it('send --wait prints the answer to this text, and wait --answer the next one', async () => {
  fleet.world.standIn.account('max-1').answer(({ turn }) => `Answer ${turn}.`)
  expect(await fleet.run('send', 'docs', 'And now?', '--wait')).toEqual({
    ...{ code: 0, stdout: 'Answer 2.\n', stderr: '' },
  })
  const next = fleet.run('wait', 'docs', '--answer', '--timeout', '5m')
  expect(await fleet.run('send', 'docs', 'And then?', '--taken')).toMatchObject({
    ...{ code: 0, stdout: 'docs has taken it\n' },
  })
  expect(await next).toEqual({ code: 0, stdout: 'Answer 3.\n', stderr: '' })
  expect(await fleet.run('wait', 'docs')).toEqual({ code: 0, stdout: 'docs is idle\n', stderr: '' })
  expect(await fleet.run('wait', 'docs', '--answer', '--timeout', '1s')).toMatchObject({ code: 1 })
})

it('usage counts each answer once, on the account that gave it, also after a move', async () => {
  expect((await fleet.run('move', 'docs', '--to', 'max-2')).code).toBe(0)
  await fleet.untilSession('docs', ({ phase, account }) => phase === 'idle' && account === 'max-2')
  expect((await fleet.run('send', 'docs', 'Still there?', '--wait')).code).toBe(0)
  const by = (key: string) =>
    fleet
      .json<Record<string, string | number>[]>('usage', '--by', key)
      .then((rows) => rows.map((row) => [row[key], row['answers']]))
  expect(await by('session')).toEqual([['docs', 4]])
  expect(await by('account')).toEqual([
    ['max-1', 3],
    ['max-2', 1],
  ])
  const [row] = await fleet.json<Record<'input' | 'output' | 'usd', number>[]>('usage')
  expect(row!.usd).toBeCloseTo((row!.input * 3 + row!.output * 15) / 1e6, 6)
  expect((await fleet.run('usage')).stdout).toMatch(/^SESSION +COST +ANSWERS[^]*^docs +\$0\.\d\d +4 /m)
})

it('law 11: a permission is notified as such, without its words; notices test says what became of each', async () => {
  fleet.world.standIn
    .account('max-2')
    .answer(({ turn }) =>
      turn === 5
        ? { tools: [{ name: 'Bash', input: { command: 'touch secret-of-the-question' } }] }
        : 'Done.',
    )
  expect((await fleet.run('send', 'docs', 'Touch it.', '--taken')).code).toBe(0)
  const asking = await fleet.untilSession('docs', ({ phase }) => phase === 'waiting')
  expect(asking.attention).toContain('asks')
  const text = await untilTold(/docs asks for a permission/)
  expect(text).not.toContain('secret-of-the-question')
  expect(fleet.events().filter((event) => event.kind === 'session-waiting')).toMatchObject([
    { session: 'docs', reason: 'permission' },
  ])
  expect((await fleet.run('answer', 'docs', '1')).code).toBe(0)
  await fleet.untilSession('docs', ({ phase }) => phase === 'idle')

  expect(await fleet.run('notices', 'test')).toMatchObject({ code: 0, stdout: 'me: sent\n' })
  await untilTold(/--- test/)
})

it('law 14: a killed worker is shown and orders wait for it; a person is notified once it is back', async () => {
  await fleet.down('SIGKILL')
  // As if it had been killed half a minute ago: nothing but its age says that nobody writes the file.
  const file = openHome(fleet.env).liveFile
  const live = JSON.parse(readFileSync(file, 'utf8')) as { at: string }
  const aged = (seconds: number): void =>
    writeFileSync(file, JSON.stringify({ ...live, at: new Date(Date.now() - seconds * 1_000).toISOString() }))
  aged(28)
  await until('silence in ls', listed, (row) => row?.silentSince !== undefined)
  aged(70)
  expect((await listed())?.attention).toMatch(/^the worker of this host was last heard of at .*outpool up/)
  expect(await fleet.show('docs')).toMatchObject({ silentSince: expect.any(String) as string })
  expect((await fleet.run('ls')).stdout).toMatch(/^docs +unheard for \d min, was \w+/m)
  for (const order of [
    ['send', 'docs', 'Later.'],
    ['rescue', 'docs'],
    ['move', 'docs', '--to', 'max-1'],
  ])
    expect(await fleet.run(...order)).toMatchObject({
      ...{
        code: 0,
        stdout: expect.stringMatching(/^accepted.*; it waits for the worker of this host/) as string,
      },
    })
  await fleet.up()
  const back = await until('the end of the silence', listed, (row) => row?.silentSince === undefined)
  expect(back?.attention ?? '').not.toContain('last heard of')
  await untilTold(/the worker of .* had died/)
})
