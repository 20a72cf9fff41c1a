/**
 * `npm run soak [-- --minutes N] [--sessions N] [--seed N]`: a fleet of stub agents for hours, with one
 * failure after the other in an order that the seed decides. After each, every session has to run exactly
 * once; memory and files are recorded and drawn.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { until } from '../lab/until.js'
import { svgOf } from './chart.js'
import type { Curve } from './harness.js'
import { type Herd, openHerd } from './herdRun.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    sessions: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
  },
})
const picture = fileURLToPath(new URL('../docs/pictures/bench-soak.svg', import.meta.url))
const patience = 15 * 60_000

type Fault = (herd: Herd, random: () => number) => Promise<unknown>

/**
 * Minutes. An account is found free of its wall by a probe, and is probed at most twenty times an hour
 * (policy/account/probes.ts): a month's walls in one hour would prove that bound, and little else.
 */
const herdsApart = 4

const everyAccountWalled = 'every account walled'
/** What happens to a fleet in months, in minutes. */
const faults: Record<string, Fault> = {
  [everyAccountWalled]: (herd) => herd.run({ withLs: false }),
  'worker killed': ({ stub }) => stub.restart('SIGKILL'),
  'worker stopped and started': ({ stub }) => stub.restart('SIGINT'),
  'engine killed': ({ stub }) => stub.killEngine(),
  'some agents killed': async (herd, random) => {
    // Different ones each time: an agent that is killed again and again is left to rest, as it should be.
    const agents = herd.agents()
    const first = Math.floor(random() * agents.length)
    const killed = [...agents.slice(first), ...agents.slice(0, first)].slice(0, 3)
    for (const { pid } of killed) process.kill(pid, 'SIGKILL')
    const old = new Set(killed.map(({ pid }) => pid))
    await until(
      'their replacements',
      () => Promise.resolve(herd.agents().filter(({ pid }) => !old.has(pid))),
      (agents) => agents.length === herd.sessions,
      patience,
    )
  },
  // A connection that was cut just before is restored at the next check.
  'connection to tmux cut': ({ stub }) =>
    until(
      'a connection to tmux that can be cut',
      () => Promise.resolve(cutConnection(stub.fleet.tmuxSocket)),
      (isCut) => isCut,
      patience,
    ),
}

function cutConnection(socket: string): boolean {
  const { status } = spawnSync('tmux', ['-S', socket, 'kill-session', '-t', '=Outpool'])
  return status === 0
}

/** Numbers that follow from the seed alone (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`)

/** Everything that could grow without bound. */
function sample({ stub }: Herd): Record<string, number> {
  const { worker, engine, tmux } = stub.usage()
  return {
    'worker, memory': worker.rss,
    'engine, memory': engine.rss,
    'tmux, memory': tmux.rss,
    'files under OUTPOOL_HOME': filesBelow(stub.home.dir).length,
    'open files of the worker': readdirSync(`/proc/${stub.fleet.workerPid() ?? 'self'}/fd`).length,
    database: statSync(stub.home.database).size,
  }
}

/** Every session runs and is watched, and no conversation has two processes. */
async function isEachUpOnce(herd: Herd): Promise<void> {
  await herd.stub.untilAtRest(herd.sessions)
  const holders = herd.agents().map(({ sessionId }) => sessionId)
  if (holders.length !== herd.sessions || new Set(holders).size !== holders.length)
    throw new Error(
      `${holders.length} agents hold ${new Set(holders).size} conversations of ${herd.sessions}`,
    )
}

const random = seeded(Number(values.seed))
const names = Object.keys(faults)
const curves = new Map<string, Curve>()
const counts = new Map<string, number>()
const herd = await openHerd(Number(values.sessions))
const from = performance.now()
const minutes = (): number => (performance.now() - from) / 60_000
let herdAt = -herdsApart
try {
  const first = sample(herd)
  while (minutes() < Number(values.minutes)) {
    const able = names.filter((name) => name !== everyAccountWalled || minutes() >= herdAt + herdsApart)
    const name = able[Math.floor(random() * able.length)] ?? ''
    if (name === everyAccountWalled) herdAt = minutes()
    await faults[name]?.(herd, random)
    await isEachUpOnce(herd)
    counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const [what, value] of Object.entries(sample(herd))) {
      const curve = curves.get(what) ?? { name: what, points: [] }
      curve.points.push([minutes(), value / (first[what] ?? 1)])
      curves.set(what, curve)
    }
    console.log(`${minutes().toFixed(1)} min: ${name}; ${JSON.stringify(sample(herd))}`)
  }
} catch (error) {
  // Printed before the cleanup, since that may fail as well.
  console.error(error)
  process.exitCode = 1
} finally {
  await herd.close()
}
const title = `${values.sessions} sessions, ${[...counts.values()].reduce((sum, each) => sum + each, 0)} faults, seed ${values.seed}`
writeFileSync(
  picture,
  svgOf({ name: 'soak', title, x: 'minutes', y: 'times what it was', curves: [...curves.values()] }),
)
console.log([...counts].map(([name, count]) => `${name}: ${count}`).join(', '))
process.exit()
