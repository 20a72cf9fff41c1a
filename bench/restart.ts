/** The worker killed with -9 under a whole fleet: how long until every session is watched again. */
import { readLive } from '../config/state/liveFile.js'
import { until } from '../lab/until.js'
import type { Measure } from './harness.js'
import { names, openStubFleet, type StubFleet } from './stubFleet.js'

const usualSessions = 500
const patience = 10 * 60_000

export const restart: Measure = {
  name: 'restart',
  description: 'the worker restarted under a fleet',
  runs: 3,
  run: async ({ runs, sessions: requested }) => {
    const sessions = requested ?? usualSessions
    const accounts = ['a-1', 'a-2', 'a-3', 'a-4', 'a-5']
    const stub = await openStubFleet({ accounts, maxSessions: Math.ceil(sessions / 5) })
    try {
      const alone = {
        killed: await measureRestart(stub, 'SIGKILL', 0),
        stopped: await measureRestart(stub, 'SIGINT', 0),
      }
      await stub.start(names(sessions))
      const before = processes(stub, accounts)
      const durations: Record<'killed' | 'stopped', number[]> = { killed: [], stopped: [] }
      for (let run = 0; run < runs; run++) {
        durations.killed.push(await measureRestart(stub, 'SIGKILL', sessions))
        durations.stopped.push(await measureRestart(stub, 'SIGINT', sessions))
      }
      const after = new Set(processes(stub, accounts))
      const lost = before.filter((pid) => !after.has(pid)).length
      const floor = (seconds: number): number[] => Array.from({ length: runs }, () => seconds)
      const description = `all ${sessions} sessions watched again; floor: the same with none`
      return {
        ...{ sessions, aims: usualSessions },
        rows: [
          {
            description: `kill -9 of the worker, \`outpool up\` → ${description}`,
            ...{ unit: 's', product: durations.killed, floor: floor(alone.killed), goal: { atMost: 15 } },
          },
          {
            description: `Ctrl-C and \`outpool up\` → ${description}`,
            ...{ unit: 's', product: durations.stopped, floor: floor(alone.stopped), goal: { atMost: 15 } },
          },
          {
            description: 'agents that did not survive these restarts',
            ...{ unit: 'count', product: [lost], floor: [], goal: { atMost: 0 } },
          },
        ],
      }
    } finally {
      await stub.close()
    }
  },
}

const processes = (stub: StubFleet, accounts: string[]): number[] =>
  stub.agents(accounts).map(({ pid }) => pid)

/** From the kill of the old worker until the new one sees them all; seconds. */
async function measureRestart(stub: StubFleet, signal: NodeJS.Signals, sessions: number): Promise<number> {
  const from = performance.now()
  await stub.restart(signal)
  const worker = stub.fleet.workerPid()
  await until(
    'every session watched again',
    () => Promise.resolve(readLive(stub.home)),
    (live) => live?.pid === worker && Object.keys(live.sessions).length === sessions,
    patience,
  )
  return (performance.now() - from) / 1000
}
