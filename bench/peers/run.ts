/**
 * `npm run bench:peers [-- NAME ...] [-- --write]`: one session of the real agent program meets a wall,
 * supervised by each alternative that a user could choose; then by Outpool. Takes about ten minutes for each;
 * `--write` puts the table into docs/peers.md. Only the package registries are reached over the network:
 * model, usage and login are the stand-in's, on this machine.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readEngine } from '../../config/state/liveFile.js'
import { openHome } from '../../config/state/home.js'
import type { StandIn } from '../../lab/standin/api.js'
import { textOf, type RecordedRequest } from '../../lab/standin/requests.js'
import { startFleet } from '../../lab/fleet.js'
import { until } from '../../lab/until.js'
import { usageOf } from '../usage.js'
import { type Candidate, candidates } from './candidates.js'
import { type Outcome, publish, type CandidateResult, tableOf } from './page.js'
import { accounts, openPeerSetup } from './setup.js'

/**
 * The reset comes soon, so that candidates that wait for it can be seen to go on; each learns only its
 * instant.
 */
const resetAfter = { waits: 2 * 60_000, moves: 3 * 3_600_000 }
/** After the reset: longer than any of them waits beyond it with its default settings. */
const patience = 3 * 60_000
/** Candidates that do not wait for the reset have this long after the wall. */
const movesWithin = 5 * 60_000
/** The session is quiet for at least this long before. */
const quietAtLeast = 60_000
const minute = 60_000

const word = 'heron'
const opening = `Remember the word ${word}.`
const task = 'Now the long task.'

type CandidateInfo = Pick<CandidateResult, 'name' | 'description' | 'notFor' | 'version' | 'load' | 'at'>

const turnsOf = (standIn: StandIn): RecordedRequest[] =>
  standIn.requests({ kind: 'turn' }).filter(({ subagent }) => !subagent)
const containsWord = ({ messages }: RecordedRequest): boolean =>
  messages.some(({ content }) => textOf(content).includes(word))

/** Walls the first account, sends the task, and observes what happens. */
async function meetWall(
  info: CandidateInfo,
  standIn: StandIn,
  pids: readonly number[],
  say: () => Promise<unknown>,
  noticed: () => boolean | Promise<boolean>,
  /** By its own output, if it keeps a record. */
  noticedAt: (() => Promise<number>) | null,
  { waits, checkEvery = null }: { waits: boolean; checkEvery?: number | null },
): Promise<CandidateResult> {
  const quietFor =
    checkEvery === null ? quietAtLeast : (Math.ceil(quietAtLeast / checkEvery) + 0.5) * checkEvery

  const before = pids.map((pid) => usageOf(pid).cpu)
  await delay(quietFor)
  const used = pids.map((pid, n) => usageOf(pid).cpu - (before[n] ?? 0)).reduce((sum, one) => sum + one, 0)
  const memory = pids.map((pid) => usageOf(pid).rss).reduce((sum, one) => sum + one, 0)
  const outcomeSoFar: CandidateResult = {
    ...info,
    ...{ noticed: null, runningAgain: null, on: null, kept: null },
    ...(pids.length === 0 ? { cpu: null, memory: null } : { cpu: (used / quietFor) * 100, memory }),
  }
  // Whole minutes, since the program shows no seconds.
  const reset = new Date(Math.ceil((Date.now() + resetAfter[waits ? 'waits' : 'moves']) / minute) * minute)
  standIn
    .account(accounts[0])
    .wall('five_hour', reset)
    .windows({ five_hour: { used: 1, resetsAt: reset } })
  await say()
  const refusal = await until(
    'the refusal',
    () => Promise.resolve(turnsOf(standIn).find(({ outcome }) => outcome === 'walled')),
    (request) => request !== undefined,
    minute,
  )
  const from = Date.parse(refusal?.at ?? '')
  const since = (at: number): number => (at - from) / 1000
  const end = waits ? reset.getTime() + patience : from + movesWithin
  while (Date.now() < end) {
    if (outcomeSoFar.noticed === null && (await noticed()))
      outcomeSoFar.noticed = since(noticedAt === null ? Date.now() : await noticedAt())
    const again = turnsOf(standIn).find(({ at, outcome }) => Date.parse(at) > from && outcome === 'answered')
    if (again !== undefined) {
      const runningAgain = since(Date.parse(again.at))
      if (noticedAt !== null) outcomeSoFar.noticed = since(await noticedAt())
      return { ...outcomeSoFar, runningAgain, on: again.account, kept: containsWord(again) }
    }
    await delay(250)
  }
  return outcomeSoFar
}

function ready(standIn: StandIn): void {
  const resetsAt = new Date(Date.now() + 4 * 3_600_000)
  for (const name of accounts) standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt } })
}

const untilSaid = (standIn: StandIn): Promise<unknown> =>
  until(
    'the first answer',
    () => Promise.resolve(turnsOf(standIn)),
    (turns) => turns.some(({ outcome }) => outcome === 'answered'),
    2 * minute,
  )

async function runCandidate(candidate: Candidate): Promise<CandidateResult> {
  const folder = mkdtempSync(join(tmpdir(), 'outpool-peer-'))
  const info = { at: new Date().toISOString(), load: loadavg()[0] ?? Number.NaN }
  const { name, description, notFor, install, watch, waits = false, checkEvery, inHome = false } = candidate
  try {
    const version = install(folder)
    const testPool = await openPeerSetup({ inHome, alone: name === 'nothing' })
    try {
      const { standIn } = testPool.world
      ready(standIn)
      const pane = testPool.openPane(inHome ? null : testPool.logins[0].configDir)
      await until(
        'the prompt',
        () => Promise.resolve(testPool.screen()),
        (screen) => screen.includes('❯'),
        minute,
      )
      await testPool.say(opening)
      await untilSaid(standIn)
      const { pids, noticed } = watch(testPool, folder, pane)
      return await meetWall(
        { ...info, name, description, notFor, version },
        standIn,
        pids,
        () => testPool.say(task),
        noticed,
        null,
        { waits, checkEvery: checkEvery ?? null },
      )
    } finally {
      await testPool.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runOutpool(): Promise<CandidateResult> {
  const info = { at: new Date().toISOString(), load: loadavg()[0] ?? Number.NaN }
  // As a user has it: the defaults.
  const timing = { retryEvery: '1m', wakeMargin: '10s', keysQuiet: '30s', stopGrace: '10s' }
  const fleet = await startFleet({ accounts: [...accounts], config: { timing } })
  try {
    const { standIn } = fleet.world
    ready(standIn)
    await fleet.up()
    await fleet.run('start', 'work', '--cwd', fleet.world.cwd, '--account', accounts[0], '--', opening)
    await fleet.untilSession('work', ({ phase }) => phase === 'idle')
    const pids = [fleet.workerPid() ?? -1, readEngine(openHome(fleet.env))?.pid ?? -1]
    return await meetWall(
      {
        ...{ name: 'outpool', description: 'Outpool, its worker and engine', ...info },
        ...{
          notFor: 'a single account: it brings an engine and a worker of its own',
          version: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
        },
      },
      standIn,
      pids,
      () => fleet.run('send', 'work', task),
      async () => (await fleet.show('work')).rescues > 0,
      async () => Date.parse((await fleet.show('work')).rescueLog.at(-1)?.startedAt ?? ''),
      { waits: false },
    )
  } finally {
    await fleet.close()
  }
}

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const known = [...candidates.map(({ name }) => name), 'outpool']
if (positionals.some((name) => !known.includes(name))) {
  console.error(`usage: npm run bench:peers [-- ${known.join('|')} ...] [--write]`)
  process.exit(2)
}
const isWanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name)
const all: Outcome[] = []
for (const candidate of candidates.filter(({ name }) => isWanted(name))) {
  console.error(`${candidate.name} ...`)
  const { name, description, notFor } = candidate
  const at = new Date().toISOString()
  all.push(
    await runCandidate(candidate).catch((error: unknown) => ({
      name,
      description,
      notFor,
      at,
      why: whyOf(error),
    })),
  )
  console.error(tableOf(all.slice(-1)))
}
if (isWanted('outpool')) all.push(await runOutpool())
console.log(tableOf(all))
if (values.write) publish(all, known)
process.exit(0)

function whyOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0] ?? ''
}
