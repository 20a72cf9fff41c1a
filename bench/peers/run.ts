/**
 * `npm run bench:peers [-- NAME ...] [-- --write]`: one session of the real agent program meets a wall, seen by what a user
 * would pick instead; then by Outpool. Takes about ten minutes for each; `--write` puts the table into docs/peers.md.
 * Nothing but the registries is asked of the network: model, usage and login are the stand-in's, on this machine.
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

/** The reset comes so soon that whoever waits for it can be seen to go on; nobody is told more than its instant. */
const resetAfter = { waits: 2 * 60_000, moves: 3 * 3_600_000 }
/** Past the reset: longer than any of them waits beyond it by its own settings. */
const patience = 3 * 60_000
/** Who does not wait for the reset gets so long after the wall. */
const movesWithin = 5 * 60_000
/** At least so long the session is quiet before. */
const quietAtLeast = 60_000
const minute = 60_000

const word = 'heron'
const opening = `Remember the word ${word}.`
const task = 'Now the long task.'

type CandidateInfo = Pick<CandidateResult, 'name' | 'says' | 'notFor' | 'version' | 'load' | 'at'>

const turnsOf = (standIn: StandIn): RecordedRequest[] =>
  standIn.requests({ kind: 'turn' }).filter(({ subagent }) => !subagent)
const containsWord = ({ messages }: RecordedRequest): boolean =>
  messages.some(({ content }) => textOf(content).includes(word))

/** Puts the wall before the first account, has the task said, and watches what comes. */
async function meetWall(
  told: CandidateInfo,
  standIn: StandIn,
  pids: readonly number[],
  say: () => Promise<unknown>,
  noticed: () => boolean | Promise<boolean>,
  /** In its own words, where it keeps a record. */
  noticedAt: (() => Promise<number>) | null,
  { waits, looksEvery = null }: { waits: boolean; looksEvery?: number | null },
): Promise<CandidateResult> {
  const quietFor =
    looksEvery === null ? quietAtLeast : (Math.ceil(quietAtLeast / looksEvery) + 0.5) * looksEvery

  const before = pids.map((pid) => usageOf(pid).cpu)
  await delay(quietFor)
  const used = pids.map((pid, n) => usageOf(pid).cpu - (before[n] ?? 0)).reduce((sum, one) => sum + one, 0)
  const memory = pids.map((pid) => usageOf(pid).rss).reduce((sum, one) => sum + one, 0)
  const seen: CandidateResult = {
    ...told,
    ...{ noticed: null, runningAgain: null, on: null, kept: null },
    ...(pids.length === 0 ? { cpu: null, memory: null } : { cpu: (used / quietFor) * 100, memory }),
  }
  // Whole minutes: that is how the program tells it.
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
    if (seen.noticed === null && (await noticed()))
      seen.noticed = since(noticedAt === null ? Date.now() : await noticedAt())
    const again = turnsOf(standIn).find(({ at, outcome }) => Date.parse(at) > from && outcome === 'answered')
    if (again !== undefined) {
      const runningAgain = since(Date.parse(again.at))
      if (noticedAt !== null) seen.noticed = since(await noticedAt())
      return { ...seen, runningAgain, on: again.account, kept: containsWord(again) }
    }
    await delay(250)
  }
  return seen
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
  const told = { at: new Date().toISOString(), load: loadavg()[0] ?? Number.NaN }
  const { name, says, notFor, install, watch, waits = false, looksEvery, inHome = false } = candidate
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
        { ...told, name, says, notFor, version },
        standIn,
        pids,
        () => testPool.say(task),
        noticed,
        null,
        { waits, looksEvery: looksEvery ?? null },
      )
    } finally {
      await testPool.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runOutpool(): Promise<CandidateResult> {
  const told = { at: new Date().toISOString(), load: loadavg()[0] ?? Number.NaN }
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
        ...{ name: 'outpool', says: 'Outpool, its worker and engine', ...told },
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
  const { name, says, notFor } = candidate
  const at = new Date().toISOString()
  all.push(
    await runCandidate(candidate).catch((error: unknown) => ({ name, says, notFor, at, why: whyOf(error) })),
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
