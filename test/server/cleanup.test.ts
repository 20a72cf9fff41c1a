/**
 * Months on a host: what is deleted, and what never is. Files, processes and tmux are real; the engine's
 * answers are given.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Host } from '../../host/host.js'
import { runCleanup } from '../../activities/cleanup/cleanup.js'
import { processStart } from '../../host/process/processes.js'
import type { LaunchRecord } from '../../host/state/sessionRecord.js'
import { type Home, openHome } from '../../config/state/home.js'
import { parseConfig } from '../../config/load/load.js'
import { handOverMark } from '../../activities/session/handOverText.js'

const hour = 3_600_000
const day = 24 * hour
const now = Date.now()

let dir: string
let home: Home
let started: ChildProcess[]

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-keeping-')))
  mkdirSync(join(dir, 'max-1'))
  home = openHome({ OUTPOOL_HOME: join(dir, 'state') })
  started = []
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const child of started) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

const worker = (more = ''): Host =>
  new Host(
    home,
    parseConfig(
      `pool: { accounts: [{ name: max-1, configDir: ${dir}/max-1 }] }
substrates: [{ name: key }]
reservedSubstrates: [{ name: healing, model: haiku, env: { ANTHROPIC_API_KEY: { fromEnv: HEALING_KEY } } }]
services: [{ name: bot, run: [node, bot.js] }]
tasks: [{ name: garden, every: 1h, run: [node, garden.js] }]
${more}`,
      join(dir, 'outpool.yaml'),
      {},
    ),
  )

const ended = () => Promise.resolve('over' as const)

/** A file that was last written this many hours ago. */
function file(path: string, hoursOld: number, content = ''): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  const at = new Date(now - hoursOld * hour)
  utimesSync(path, at, at)
  return path
}

/** Everything in the session's folder was last written this long ago. */
function session(host: Host, name: string, daysOld: number, launch: Partial<LaunchRecord> = {}): string {
  host.records.saveLaunch(name, {
    ...{ fence: 3, place: { kind: 'account', name: 'max-1' }, agent: 'claude-code', sessionId: `c-${name}` },
    ...{ cwd: dir, process: null, transcriptFrom: 0, prompt: null, forkedAt: null, ...launch },
  })
  const folder = host.records.folder(name)
  const at = new Date(now - daysOld * day)
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), at, at)
  return folder
}

const entry = (uuid: string, text: string): string =>
  `${JSON.stringify({
    ...{ type: 'user', uuid, isSidechain: false, timestamp: new Date(now).toISOString() },
    message: { role: 'user', content: text },
  })}\n`
const inProjects = (configDir: string, id: string): string =>
  join(configDir, 'projects', '-work', `${id}.jsonl`)

it('removes what crashes left behind, and nothing that is still needed', async () => {
  const alpha = join(home.sessions, 'alpha')
  const kept = [
    join(home.reports, 'alpha.3.Stop.12-1'),
    join(home.reports, '.alpha.3.Stop.13-1'),
    join(alpha, 'settings.json'),
    join(alpha, 'launch-4.sh'),
  ]
  for (const path of kept) file(path, 0.5)
  file(join(home.reports, 'alpha.3.Stop.12-1'), 10_000)
  const remaining = [
    join(home.reports, '.alpha.2.StatusLine.last.taken'),
    join(alpha, 'settings.json.new'),
    join(alpha, 'launch-3.sh'),
    join(home.dir, 'live.json.77.1.tmp'),
    join(home.quota, 'max-1.json.77.2.tmp'),
    join(home.incidents, '3-bot.json.77.2.tmp'),
    join(home.services, 'bot', 'launch-2.sh'),
    join(home.tasks, 'garden', 'results', '2026-01-01.log.77.3.tmp'),
  ]
  for (const path of remaining) file(path, 30)
  expect(await runCleanup(worker(), ended, now)).toMatchObject({ leftovers: remaining.length })
  expect(kept.filter((path) => !existsSync(path))).toEqual([])
  expect(await runCleanup(worker(), ended, now)).toMatchObject({ leftovers: 0 })
})

it('law 5, law 7: folders of sessions are deleted a month after their end; none of a session that runs, is parked, or whose state is unknown', async () => {
  const host = worker()
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  started.push(child)
  await once(child, 'spawn')
  const living = { pid: child.pid!, start: (await processStart(child.pid!))! }
  const folders = {
    ended: session(host, 'ended', 31),
    lately: session(host, 'lately', 29),
    parked: session(host, 'parked', 300),
    running: session(host, 'running', 300, { process: living }),
    unasked: session(host, 'unasked', 300),
    paned: session(host, 'paned', 300),
    typed: session(host, 'typed', 300),
    broken: dirname(file(join(home.sessions, 'broken', 'record.json'), 10_000, '{')),
  }
  file(join(folders.typed, 'draft'), 2)
  const argv = ['/bin/sh', '-c', 'exec sleep 600']
  await host.tmux.spawn({ session: 'paned', fence: 3, cwd: dir, argv, status: 'outpool' })
  try {
    const states = { parked: 'running', unasked: 'unknown' } as const
    const cleaned = await runCleanup(
      host,
      (name) => Promise.resolve(name === 'parked' || name === 'unasked' ? states[name] : 'over'),
      now,
    )
    expect(cleaned).toMatchObject({ sessions: 1 })
    const remaining = Object.entries(folders).filter(([, folder]) => existsSync(folder))
    expect(remaining.map(([name]) => name)).toEqual(Object.keys(folders).filter((name) => name !== 'ended'))
    expect(host.records.newest('ended')).toBeNull()
  } finally {
    // It outlives its last pane.
    execFileSync('tmux', ['-S', home.tmuxSocket, 'kill-server'])
  }
})

it('of too many folders the oldest are deleted', async () => {
  const host = worker('keep: { sessions: { maxCount: 2 } }')
  for (const [name, daysOld] of [
    ['a', 5],
    ['b', 4],
    ['c', 3],
    ['d', 2],
  ] as const)
    session(host, name, daysOld)
  expect(await runCleanup(host, ended, now)).toMatchObject({ sessions: 2 })
  expect(readdirSync(home.sessions)).toEqual(['c', 'd'])
})

it('law 5: forks that were handed over are deleted; original conversations and forks still to be handed over are kept for ever', async () => {
  const host = worker()
  const own = join(home.substrates, 'key')
  session(host, 'alpha', 400)
  session(host, 'bravo', 400)
  const begun = entry('u1', 'Begin.')
  // Handed over from f-told alone; f-unused has no entries of its own.
  const original = file(
    inProjects(join(dir, 'max-1'), 'c-alpha'),
    400 * 24,
    begun + entry('u2', `[${handOverMark('f-told')}] and more`),
  )
  const forks = ['f-told', 'f-young', 'f-untold', 'f-unused', 'f-lost']
  const copyOfOriginal = file(inProjects(own, 'c-alpha'), 400 * 24, begun)
  const forkFiles = Object.fromEntries(
    forks.map((id) => {
      const said = id === 'f-unused' ? begun : begun + entry(`u-${id}`, `Said to ${id}.`)
      return [id, file(inProjects(own, id), id === 'f-young' ? 24 : 31 * 24, said)]
    }),
  )
  const companion = file(join(own, 'projects', '-work', 'f-told', 'tool-results', 'a.txt'), 1)
  const carriedOn = file(inProjects(join(home.substrates, 'no-longer-named'), 'f-told'), 31 * 24, begun)
  const unknown = file(inProjects(own, 'f-of-a-session-that-ended-away'), 400 * 24, begun)
  const record = (id: string, to = 'c-alpha') => ({ id, to, agent: 'claude-code' })
  host.records.saveForks(
    'alpha',
    ['f-told', 'f-young', 'f-untold', 'f-unused'].map((id) => record(id)),
  )
  // Its conversation is missing, so nothing shows that the fork was handed over.
  host.records.saveForks('bravo', [record('f-lost', 'c-bravo')])

  // Like a worker that has just started: all that it knows is on the disk.
  expect(await runCleanup(worker(), ended, now)).toMatchObject({ forks: 2 })
  expect(forks.filter((id) => existsSync(forkFiles[id]!))).toEqual(['f-young', 'f-untold', 'f-lost'])
  expect([companion, carriedOn].filter((path) => existsSync(path))).toEqual([])
  expect([original, copyOfOriginal, unknown].filter((path) => !existsSync(path))).toEqual([])
  expect(
    worker()
      .records.forks('alpha')
      .map(({ id }) => id),
  ).toEqual(['f-young', 'f-untold'])
  // The records of forks stay as long as the forks do.
  expect(existsSync(join(home.sessions, 'bravo'))).toBe(true)
})

it('law 5: a fork that a process has open, and one that links to a file elsewhere, are kept', async () => {
  const host = worker()
  const own = join(home.substrates, 'key')
  session(host, 'alpha', 1)
  const handOvers = ['f-open', 'f-linked'].map((id) => `[${handOverMark(id)}]`).join(' ')
  file(inProjects(join(dir, 'max-1'), 'c-alpha'), 1, entry('u1', handOvers))
  const open = file(inProjects(own, 'f-open'), 31 * 24, entry('u2', 'x'))
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  started.push(child)
  await once(child, 'spawn')
  const pid = child.pid!
  const { start } = { start: (await processStart(pid))! }
  file(
    join(own, 'sessions', `${pid}.json`),
    1,
    JSON.stringify({ pid, sessionId: 'f-open', status: 'idle', procStart: start, updatedAt: now }),
  )
  const elsewhere = file(inProjects(join(dir, 'of-a-person'), 'f-linked'), 31 * 24, entry('u3', 'x'))
  mkdirSync(join(home.substrates, 'linked'))
  symlinkSync(join(dir, 'of-a-person', 'projects'), join(home.substrates, 'linked', 'projects'))
  host.records.saveForks(
    'alpha',
    ['f-open', 'f-linked'].map((id) => ({ id, to: 'c-alpha', agent: 'claude-code' })),
  )
  expect(await runCleanup(worker(), ended, now)).toMatchObject({ forks: 0 })
  expect([open, elsewhere].filter((path) => !existsSync(path))).toEqual([])
})

it("of complete hand-overs the old ones are deleted, except for a session's newest", async () => {
  const folder = join(session(worker(), 'alpha', 1), 'hand-over')
  for (const fence of [4, 9, 12]) file(join(folder, `forks-${fence}.md`), 40 * 24)
  file(join(folder, 'next.md'), 40 * 24)
  expect(await runCleanup(worker(), ended, now)).toMatchObject({ handOvers: 2 })
  expect(readdirSync(folder).sort()).toEqual(['forks-12.md', 'next.md'])
})

it("closed incidents, the healer's conversations, and what is no longer configured are deleted after their time", async () => {
  const at = (days: number): string => new Date(now - days * day).toISOString()
  const incident = (n: number, closedAt: string | null, service = 'bot'): void => {
    const incident = { n, service, wellAt: null, openedAt: at(300), closedAt, outcome: null }
    const name = `${n}-${service}`
    file(
      join(home.incidents, `${name}.json`),
      1,
      JSON.stringify({ ...incident, timeline: [], evidence: [], said: [] }),
    )
    file(join(home.incidents, `${name}.md`), 1)
    file(join(home.incidents, 'wake-up', `${name}.md`), 1)
  }
  incident(1, at(200))
  incident(2, null)
  incident(3, null, 'guarded-no-more')
  incident(4, at(170))
  incident(5, at(200))
  const woken = file(inProjects(join(home.substrates, 'healing'), 'w-old'), 200 * 24, entry('u', 'x'))
  file(inProjects(join(home.substrates, 'healing'), 'w-young'), 100 * 24, entry('u', 'x'))
  const unnamed = [
    file(join(home.tasks, 'gone', 'ledger.json'), 91 * 24),
    file(join(home.quota, 'max-7.json'), 91 * 24),
  ]
  const named = [
    file(join(home.tasks, 'garden', 'results', '1.log'), 91 * 24),
    file(join(home.tasks, 'lately', 'ledger.json'), 89 * 24),
    ...['max-1.json', 'key.spent.json', 'healing.json'].map((name) => file(join(home.quota, name), 91 * 24)),
  ]
  const cleaned = await runCleanup(worker(), ended, now)
  expect(cleaned).toMatchObject({ incidents: 2, wakeUps: 1, unnamed: 2 })
  // The newest one carries the last number that was given.
  expect(readdirSync(home.incidents).sort()).toEqual(
    ['2-bot', '4-bot', '5-bot'].flatMap((name) => [`${name}.json`, `${name}.md`]).concat('wake-up'),
  )
  expect(readdirSync(join(home.incidents, 'wake-up'))).toEqual(['2-bot.md', '4-bot.md', '5-bot.md'])
  expect([woken, ...unnamed].filter((path) => existsSync(path))).toEqual([])
  expect(named.filter((path) => !existsSync(path))).toEqual([])
})

it('an error in one part does not stop the others', async () => {
  const error = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  session(worker(), 'ended', 31)
  rmSync(home.reports, { recursive: true })
  writeFileSync(join(home.incidents, 'wake-up'), '')
  rmSync(home.incidents, { recursive: true })
  const cleaned = await runCleanup(worker(), ended, now)
  expect(cleaned).toMatchObject({ sessions: 1 })
  expect(error.mock.calls.flat().join(' ')).toContain('old incidents could not be removed')
})
