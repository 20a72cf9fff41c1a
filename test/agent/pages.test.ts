/**
 * Able means able to start unattended. Pages that the real program opens at its start, and a program that
 * can't be run.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AccountRow } from '../../policy/account/accountRow.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import type { RecordedRequest } from '../../lab/standin/requests.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
/** Holds the program as the configuration names it: a link that a test can remove. */
const programs = mkdtempSync(join(tmpdir(), 'outpool-program-'))
const program = join(programs, 'claude')
const outsideWords = 'Always answer in the manner of a heron.'

const names = ['max-1', 'max-2', 'max-3']
const settingsOf = (name: string): string => join(fleet.world.dir, 'logins', name, 'settings.json')

beforeAll(async () => {
  symlinkSync(agentProgram, program)
  const key = { name: 'key', model: 'claude-haiku-4-5', env: { ANTHROPIC_API_KEY: { fromEnv: 'SPARE_KEY' } } }
  fleet = await startFleet({
    accounts: names,
    agent: { command: program, env: {} },
    config: { substrates: [key], timing: { retryEvery: '10m', retryMaxInterval: '30m' } },
  })
  fleet.env['SPARE_KEY'] = fleet.world.standIn.account('key').apiKey
  for (const [index, name] of names.entries())
    fleet.world.standIn.account(name).windows({
      five_hour: { used: 0.1 + index / 10, resetsAt: hours(4) },
      seven_day: { used: 0.1, resetsAt: hours(90) },
    })
  await fleet.up()
  await fleet.untilRead()
})
afterAll(async () => {
  const paid = fleet.world.standIn.requests({ account: 'key' }).length
  await fleet.close()
  rmSync(programs, { recursive: true, force: true })
  // Neither a page nor a program that can't be run is a reason to pay for a substrate.
  expect(paid).toBe(0)
})

const turns = (sessionId: string): RecordedRequest[] =>
  fleet.world.standIn
    .requests({ kind: 'turn' })
    .filter((request) => request.sessionId === sessionId && !request.subagent)

async function begin(name: string, cwd: string, on: string): Promise<void> {
  mkdirSync(cwd, { recursive: true })
  const { code, stderr } = await fleet.run(
    'start',
    name,
    '--cwd',
    cwd,
    '--account',
    on,
    '--',
    `Hello ${name}`,
  )
  expect([code, stderr]).toEqual([0, ''])
  await fleet.untilSession(name, ({ phase, account }) => phase === 'idle' && account === on)
}

/** `pages` is present only if there are any. */
const rows = async (): Promise<AccountRow[]> => {
  const all = await fleet.json<(Omit<AccountRow, 'pages'> & Partial<AccountRow>)[]>('accounts')
  return all.map((row) => ({ pages: [], ...row }))
}
const rowOf = async (name: string): Promise<AccountRow> => (await rows()).find((row) => row.name === name)!

async function crash(name: string): Promise<void> {
  process.kill((await fleet.show(name)).pid!, 'SIGKILL')
}

it('law 4: if every account opens a page the session waits, says which and what to do, and goes on once one is answered', async () => {
  const cwd = join(fleet.world.dir, 'imports')
  await begin('heron', cwd, 'max-1')
  const outside = join(fleet.world.dir, 'outside.md')
  writeFileSync(outside, `${outsideWords}\n`)
  writeFileSync(join(cwd, 'CLAUDE.md'), `@${outside}\n`)
  await crash('heron')
  const waiting = await fleet.untilSession(
    'heron',
    ({ phase, attention }) => phase === 'waiting' && attention !== null,
  )
  for (const name of names) {
    expect(waiting.attention).toContain(`${name} opens "Allow external CLAUDE.md file imports?"`)
    expect(waiting.attention).toContain(`cd ${cwd} && CLAUDE_CONFIG_DIR=`)
    expect((await rowOf(name)).pages).toMatchObject([{ cwd }])
    // It is able for every other project.
    expect((await rowOf(name)).state).toBe('ready')
  }
  expect(
    waiting.rescueLog.at(-1)?.steps.filter(({ fault }) => fault?.includes('Allow external')),
  ).toHaveLength(3)
  expect(
    fleet.processes().filter((line) => line.includes(waiting.sessionId) && !line.includes('tmux')),
  ).toEqual([])
  expect(turns(waiting.sessionId)).toHaveLength(1)
  // The person answers under one login only, as the program records it.
  const file = join(fleet.world.dir, 'logins', 'max-3', '.claude.json')
  const config = JSON.parse(readFileSync(file, 'utf8')) as { projects: Record<string, object> }
  config.projects[cwd] = {
    ...config.projects[cwd],
    hasClaudeMdExternalIncludesApproved: true,
    hasClaudeMdExternalIncludesWarningShown: true,
  }
  writeFileSync(file, JSON.stringify(config))
  const up = await fleet.untilSession('heron', ({ phase, pid }) => phase === 'idle' && pid !== null)
  expect(up.attention).toBeNull()
  for (const name of names) expect((await rowOf(name)).pages).toEqual([])
  expect((await fleet.run('stop', 'heron')).code).toBe(0)
})

it('law 4: a first start may wait in the page, and what the person answers there goes along with a move', async () => {
  const cwd = join(fleet.world.dir, 'first')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'CLAUDE.md'), `@${join(fleet.world.dir, 'outside.md')}\n`)
  expect((await fleet.run('start', 'kite', '--cwd', cwd, '--', 'Hello kite')).code).toBe(0)
  const atPage = await fleet.untilSession('kite', ({ phase, pid }) => phase === 'waiting' && pid !== null)
  expect(atPage.attention).toContain('outpool attach kite')
  const screen = (): Promise<string> => Promise.resolve(fleet.tmux('capture-pane', '-p', '-t', atPage.pane!))
  await until(
    'the second choice',
    () => {
      fleet.tmux('send-keys', '-t', atPage.pane!, 'End')
      return screen()
    },
    (shown) => shown.includes('❯ Yes, allow external imports'),
  )
  fleet.tmux('send-keys', '-t', atPage.pane!, 'Enter')
  const { account: from } = await fleet.untilSession('kite', ({ phase }) => phase === 'idle')
  // This login was answered about a server of the project in its own settings, as the program advises if it
  // stores no answer.
  writeFileSync(join(cwd, '.mcp.json'), JSON.stringify({ mcpServers: { one: { command: 'true' } } }))
  expect((await fleet.run('trust', cwd)).code).toBe(0)
  writeFileSync(settingsOf(from!), JSON.stringify({ enabledMcpjsonServers: ['one'] }))
  const to = from === 'max-2' ? 'max-1' : 'max-2'
  await until(
    'the marks to go',
    () => rowOf(to),
    ({ pages }) => pages.length === 0,
  )
  expect((await fleet.run('move', 'kite', '--to', to)).code).toBe(0)
  const moved = await fleet.untilSession('kite', ({ phase, account }) => phase === 'idle' && account === to)
  expect((await fleet.run('send', 'kite', 'How do you answer?')).code).toBe(0)
  const question = await until(
    `the turn on ${to}`,
    () => Promise.resolve(turns(moved.sessionId).at(-1)),
    (request) => request?.account === to,
  )
  expect(JSON.stringify(question)).toContain(outsideWords)
  expect((await fleet.run('stop', 'kite')).code).toBe(0)
  rmSync(settingsOf(from!))
})

it('law 4: past a page of settings that were skipped; a page of settings that cannot be used means another account', async () => {
  const cwd = join(fleet.world.dir, 'settings')
  await begin('ibis', cwd, 'max-1')
  writeFileSync(settingsOf('max-2'), JSON.stringify({ cleanupPeriodDays: 'many' }))
  writeFileSync(settingsOf('max-3'), JSON.stringify({ hooks: { NoSuchEvent: [] } }))
  fleet.world.standIn.account('max-1').wall('five_hour', hours(3))
  expect((await fleet.run('send', 'ibis', 'Into the wall.')).code).toBe(0)
  const moved = await fleet.untilSession(
    'ibis',
    ({ phase, account }) => phase === 'idle' && account === 'max-3',
  )
  const [page] = moved.rescueLog
    .at(-1)!
    .steps.flatMap(({ name, fault }) => (fault === undefined ? [] : [{ name, fault }]))
  expect(page).toEqual({
    name: 'on max-2',
    fault: `it opens "Settings Error" about ${settingsOf('max-2')} (cleanupPeriodDays): repair ${settingsOf('max-2')}`,
  })
  const row = await rowOf('max-2')
  expect(row.pages).toMatchObject([{ cwd: null, remedy: `repair ${settingsOf('max-2')}` }])
  // Once corrected, it takes sessions again without waiting for its mark to expire.
  rmSync(settingsOf('max-2'))
  await until(
    'the mark to go',
    () => rowOf('max-2'),
    ({ pages }) => pages.length === 0,
  )
})

it("law 6: a program that cannot be run is the host's problem: the session waits, and continues where it was once it can be run", async () => {
  rmSync(program)
  await crash('ibis')
  const waiting = await fleet.untilSession('ibis', ({ attention }) => attention?.includes(program) === true)
  expect(waiting.attention).toContain('cannot be run on this host: there is no such program')
  expect(waiting.phase).toBe('parked')
  symlinkSync(agentProgram, program)
  const up = await fleet.untilSession('ibis', ({ phase, pid }) => phase === 'idle' && pid !== null)
  // Neither account was blamed: the same one takes it, and the other takes the next session.
  expect(up.account).toBe('max-3')
  await begin('jay', join(fleet.world.dir, 'jay'), 'max-2')
})
