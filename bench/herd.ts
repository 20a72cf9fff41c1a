/** Five hundred sessions walled within a second: light agents, heavy ones, and some of the real program. */
import { fileURLToPath } from 'node:url'
import { agentProgram } from '../lab/standin/cleanEnv.js'
import { startFleet } from '../lab/fleet.js'
import { BareRespawn, type Conversation } from './bareRespawn.js'
import { emptySteps } from './emptySteps.js'
import { type Chart, type Measure, median, type Result, type Row } from './harness.js'
import { type Herd, type HerdRun, lastOf, openHerd, spread } from './herdRun.js'
import { span } from './report.js'
import { RealHerd } from './realHerd.js'
import { roundsFor } from './startRounds.js'

const usualSessions = 500
/** A cross-check of the stub. */
const usualReal = 10
/** As many as two cores start side by side without slowing each other down; the loop is fastest that way. */
const respawnsAtOnce = 4
const stub = fileURLToPath(new URL('stub/agent.sh', import.meta.url))

export const herd: Measure = {
  name: 'herd',
  description: 'a herd of light agents',
  runs: 3,
  run: async ({ runs, sessions }) => {
    const herd = await openHerd(sessions ?? usualSessions)
    try {
      const { address } = herd.stub
      const { namespace } = herd.stub.client.options
      return await measureHerd(herd, runs, {
        description: 'the same engine carries as many running workflows through two empty steps each',
        ratio: 2,
        run: () => emptySteps(address, namespace, herd.sessions),
      })
    } finally {
      await herd.close()
    }
  },
}

export const heavyHerd: Measure = {
  name: 'herd-heavy',
  description: 'a herd of agents that are as heavy to start as the real program',
  runs: 2,
  run: async ({ runs, sessions }) => {
    const cost = await realStartCost()
    const startRounds = roundsFor(cost)
    const herd = await openHerd(sessions ?? usualSessions, startRounds)
    const bare = new BareRespawn(herd.stub.fleet, {
      command: stub,
      env: { STUB_START_ROUNDS: String(startRounds) },
    })
    try {
      const result = await measureHerd(herd, runs, {
        description: 'a bare loop respawns the same panes',
        ratio: 1.3,
        run: () => bare.respawn(conversationsOf(herd), respawnsAtOnce),
      })
      return {
        ...result,
        facts: { 'CPU of one start, as of the real program': `${cost.toFixed(0)} ms`, ...result.facts },
      }
    } finally {
      bare.close()
      await herd.close()
    }
  },
}

export const realHerd: Measure = {
  name: 'herd-real',
  description: 'a herd of real agents',
  runs: 3,
  run: async ({ runs, sessions }) => {
    const herd = await RealHerd.open(sessions ?? usualReal)
    try {
      const entry: Row = {
        description: `${herd.sessions} sessions of the real program walled at once → last one running; floor: a bare loop respawns the same panes`,
        ...{ unit: 's', product: [], floor: [], goal: { ratio: 1.3 } },
      }
      for (let run = 0; run < runs; run++) {
        entry.floor.push(Math.max(...(await herd.floor(respawnsAtOnce))) / 1000)
        entry.product.push(Math.max(...(await herd.run())) / 1000)
      }
      return { sessions: herd.sessions, aims: usualReal, rows: [entry] }
    } finally {
      await herd.close()
    }
  },
}

interface Floor {
  description: string
  ratio: number
  run: () => Promise<number[]>
}

/** Floor and herd in turn. */
async function measureHerd(herd: Herd, runs: number, floor: Floor): Promise<Result> {
  const floors: number[][] = []
  const herds: HerdRun[] = []
  for (let run = 1; run <= runs; run++) {
    floors.push(await floor.run())
    // The observer of `outpool ls` costs a little, so only the last run has one.
    herds.push(await herd.run({ withLs: run === runs }))
    console.error(`  floor ${spread(floors.at(-1) ?? [])}; herd ${spread(herds.at(-1)?.up ?? [])}`)
  }
  const name = `${herd.sessions} sessions walled at once`
  return {
    ...{ sessions: herd.sessions, aims: usualSessions },
    rows: [
      {
        description: `${name} → last one running; floor: ${floor.description}`,
        unit: 's',
        product: herds.map((run) => lastOf(run) / 1000),
        floor: floors.map((up) => Math.max(...up) / 1000),
        goal: { ratio: floor.ratio },
      },
      bounded(
        'sessions started twice',
        'count',
        herds.map(({ doubles }) => doubles),
        0,
      ),
      bounded(
        'sessions beyond their account’s limit',
        'count',
        herds.map(({ aboveLimit }) => aboveLimit),
        0,
      ),
      {
        description: '`outpool ls` while the herd goes on; floor: the same runtime, started empty',
        unit: 'ms',
        product: herds.flatMap(({ ls }) => ls.product),
        floor: herds.flatMap(({ ls }) => ls.floor),
        goal: { over: 150 },
      },
      bounded(
        'events of one rescue in a herd: session, and its share of the pool’s',
        'count',
        herds.map(({ events }) => events.session + events.pool / herd.sessions),
        60,
      ),
    ],
    facts: factsOf(herds, floors),
    chart: chartOf(herds, floors, name, floor),
  }
}

const bounded = (description: string, unit: Row['unit'], product: number[], atMost: number): Row => ({
  ...{ description, unit, product, floor: [], goal: { atMost } },
})

function factsOf(herds: HerdRun[], floors: number[][]): Record<string, string> {
  const all = (value: (run: HerdRun) => number, unit: Row['unit']): string => span(herds.map(value), unit)
  return {
    'wall → running': herds.map(({ up }) => spread(up)).join(' | '),
    floor: floors.map((up) => spread(up)).join(' | '),
    'CPU of the worker and what it starts, per rescue': all(({ cpu }) => cpu.worker, 'ms'),
    'CPU of the engine, per rescue': all(({ cpu }) => cpu.engine, 'ms'),
    'CPU of tmux, per rescue': all(({ cpu }) => cpu.tmux, 'ms'),
    'events of the session, per rescue': all(({ events }) => events.session, 'count'),
    'events of the pool, for the whole herd': all(({ events }) => events.pool, 'count'),
    'history of the session, per rescue': all(({ bytes }) => bytes.session / 1024, 'KB'),
    'history of the pool, for the whole herd': all(({ bytes }) => bytes.pool / 1024, 'KB'),
    'database, per rescue': all(({ databaseKb }) => databaseKb, 'KB'),
  }
}

/** How many were up at what time. */
function chartOf(herds: HerdRun[], floors: number[][], title: string, floor: Floor): Chart {
  const curve = (up: readonly number[]): [number, number][] => [
    [0, 0],
    ...up.map((ms, index): [number, number] => [ms / 1000, index + 1]),
  ]
  return {
    ...{ name: floor.ratio === 2 ? 'herd' : 'herd-heavy', title, x: 'seconds', y: 'sessions up' },
    curves: [
      ...herds.map(({ up }, run) => ({ name: `outpool, run ${run + 1}`, points: curve(up) })),
      ...floors.map((up, run) => ({ name: `floor, run ${run + 1}`, points: curve(up) })),
    ],
  }
}

/** The conversations where the sessions are now. */
const conversationsOf = (herd: Herd): Conversation[] =>
  herd.agents().map(({ sessionId, configDir }) => ({
    sessionId,
    transcript: `${configDir}/projects/stub/${sessionId}.jsonl`,
  }))

/** CPU of the real program until it reports that it runs, in ms. */
async function realStartCost(): Promise<number> {
  const fleet = await startFleet({ accounts: [] })
  const bare = new BareRespawn(fleet, { command: agentProgram, env: {} })
  try {
    const costs = []
    for (let start = 0; start < 5; start++) costs.push(await bare.startCost())
    return median(costs)
  } finally {
    bare.close()
    await fleet.close()
  }
}
