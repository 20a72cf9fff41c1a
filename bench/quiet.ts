/** What a quiet fleet costs; the floor is the same set-up with no session at all. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Measure, Row } from './harness.js'
import { names, openStubFleet, type StubFleet } from './stubFleet.js'
import { topAtRest } from './top.js'

const usualSessions = 500
/** After this the effects of the fleet's start have settled. */
const settled = 20_000
const span = 60_000
/** As the product does by default. */
const probeEvery = '5m'

export const quiet: Measure = {
  name: 'quiet',
  description: 'a quiet fleet',
  runs: 3,
  run: async ({ runs, sessions: requested }) => {
    const sessions = requested ?? usualSessions
    const accounts = ['a-1', 'a-2', 'a-3', 'a-4', 'a-5']
    const stub = await openStubFleet({
      accounts,
      maxSessions: Math.ceil(sessions / 5),
      probeEvery,
      counted: true,
    })
    try {
      const none = await sampleUsage(stub, runs)
      await stub.start(names(sessions))
      const before = await stub.sessionHistory('s-1')
      const all = await sampleUsage(stub, runs)
      const after = await stub.sessionHistory('s-1')
      const top = await topAtRest(stub.fleet, sessions, runs)
      const minutes = ((settled + runs * span) / 60_000).toFixed(1)
      const row = (
        description: string,
        unit: Row['unit'],
        part: (one: UsageSample) => number,
        atMost: number,
      ): Row => ({
        description: `${sessions} quiet sessions: ${description}; floor: the same with none`,
        ...{ unit, product: all.map(part), floor: none.map(part), goal: { atMost } },
      })
      return {
        ...{ sessions, aims: usualSessions },
        rows: [
          row('CPU of the worker and what it starts', '%', ({ worker }) => worker, 2),
          row('memory of the worker', 'MB', ({ workerRss }) => workerRss, 600),
          row('CPU of the engine', '%', ({ engine }) => engine, 5),
          row('starts of tmux in a minute', 'count', ({ tmuxCalls }) => tmuxCalls, 60),
          {
            description: `events of a quiet session in ${minutes} minutes`,
            ...{ unit: 'count', product: [after.events - before.events], floor: [], goal: { atMost: 0 } },
          },
          top,
        ],
        facts: {
          'memory of the engine': `${all.at(-1)?.engineRss.toFixed(0) ?? '?'} MB, ${none.at(-1)?.engineRss.toFixed(0) ?? '?'} MB with none`,
          'memory of the worker, per session': `${perSession(all, none, sessions, 'workerRss')} KB`,
          'memory of the engine, per session': `${perSession(all, none, sessions, 'engineRss')} KB`,
        },
      }
    } finally {
      await stub.close()
    }
  },
}

interface UsageSample {
  /** Share of one core, in percent. */
  worker: number
  engine: number
  workerRss: number
  engineRss: number
  tmuxCalls: number
}

/** `runs` observations of a minute each. */
async function sampleUsage(stub: StubFleet, runs: number): Promise<UsageSample[]> {
  await delay(settled)
  const samples: UsageSample[] = []
  for (let run = 0; run < runs; run++) {
    const from = stub.usage()
    const calls = stub.tmuxCalls()
    await delay(span)
    const to = stub.usage()
    samples.push({
      worker: ((to.worker.cpu - from.worker.cpu) / span) * 100,
      engine: ((to.engine.cpu - from.engine.cpu) / span) * 100,
      workerRss: to.worker.rss,
      engineRss: to.engine.rss,
      tmuxCalls: stub.tmuxCalls() - calls,
    })
  }
  return samples
}

const perSession = (
  all: UsageSample[],
  none: UsageSample[],
  sessions: number,
  what: 'workerRss' | 'engineRss',
): string => ((((all.at(-1)?.[what] ?? 0) - (none.at(-1)?.[what] ?? 0)) * 1024) / sessions).toFixed(0)
