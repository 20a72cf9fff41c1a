/** `outpool ls` with many sessions, over starting the same runtime empty. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Client, Connection } from '@temporalio/client'
import { startSession } from '../client/engine/startSession.js'
import { parseConfig } from '../config/load/load.js'
import type { LiveFile } from '../config/state/liveFile.js'
import { Host } from '../host/host.js'
import { sealedClient } from '../lab/engine/sealed.js'
import { devServer } from '../lab/engine/engine.js'
import { until } from '../lab/until.js'
import { defaultTiming } from '../policy/account/account.js'
import { FleetAnswers } from '../worker/localSocket/fleetAnswers.js'
import { LocalSocket } from '../worker/localSocket/localSocket.js'
import type { SessionStart } from '../workflows/messages.js'
import { runAlternating, type Measure, type Row, timed } from './harness.js'

const usualSessions = 500
/** Requested in one batch while the list is being filled. */
const startsAtOnce = 25
const bin = fileURLToPath(new URL('../dist/client/bin.js', import.meta.url))
const execute = promisify(execFile)

export const ls: Measure = {
  name: 'ls',
  description: '`outpool ls`',
  runs: 8,
  run: async ({ runs, sessions: requested }) => {
    const sessions = requested ?? usualSessions
    const server = await devServer()
    const connection = await Connection.connect(server.connectOptions)
    const client = sealedClient(server.home, connection, server.namespace)
    const { dir } = server.home
    const pool = `pool: { accounts: [{ name: max-1, configDir: ${dir}/logins/max-1 }] }`
    mkdirSync(join(dir, 'logins', 'max-1'), { recursive: true })
    const host = new Host(server.home, parseConfig(pool, join(dir, 'outpool.yaml'), {}))
    // What a worker answers, without the rest of it: these sessions only stand in the list.
    const answers = new FleetAnswers(host, client)
    const socket = new LocalSocket(host, answers)
    try {
      const names = Array.from({ length: sessions }, (_, index) => `s-${index + 1}`)
      for (let from = 0; from < sessions; from += startsAtOnce)
        await Promise.all(
          names.slice(from, from + startsAtOnce).map((name) => begin(client, name, server.home.hostId)),
        )
      writeFileSync(server.home.liveFile, JSON.stringify(liveWith(names)))
      const empty = join(dir, 'empty.mjs')
      writeFileSync(empty, '')
      const env = { PATH: process.env['PATH'], HOME: dir, OUTPOOL_HOME: dir }
      const run = async (...args: string[]): Promise<string> =>
        (await execute(process.execPath, args, { env, maxBuffer: Infinity })).stdout
      await until(
        'all sessions in the list',
        () => run(bin, 'ls', '--json'),
        (listed) => (JSON.parse(listed) as unknown[]).length === sessions,
      )
      const measured = async (what: string, goal: Row['goal'], ...args: string[]): Promise<Row> => ({
        ...(await runAlternating(
          runs,
          () => timed(() => run(empty)),
          () => timed(() => run(bin, ...args)),
        )),
        description: `${what}; floor: the same runtime, started empty`,
        ...{ unit: 'ms', goal },
      })
      const list = `\`outpool ls\` with ${sessions} sessions`
      const rows = [await measured(`${list}, without a worker`, null, 'ls')]
      await socket.open()
      rows.unshift(await measured(list, { over: 150 }, 'ls'))
      rows.push(
        await measured(
          `completion of a name among ${sessions} sessions`,
          { over: 100 },
          '__complete',
          'session',
        ),
      )
      return { sessions, aims: usualSessions, rows }
    } finally {
      await socket.close()
      await answers.settled()
      host.tmux.close()
      await connection.close()
      await server.stop()
    }
  },
}

/** Memo and search attributes as `outpool start` makes them; a session need not run to be listed. */
async function begin(client: Client, name: string, host: string): Promise<void> {
  const { namespace } = client.options
  const start: SessionStart = {
    ...{ name, pool: 'main', sessionId: randomUUID(), host, agent: 'claude-code', model: null },
    ...{ cwd: `/home/alex/work/${name}`, account: 'max-1', pinned: false, priority: 0, prompt: null },
    ...{ continues: false, timing: defaultTiming },
  }
  await startSession({ client, namespace, within: (_ms, calls) => calls() }, start)
}

/** The file that a worker that watches them all would leave for the command to read. */
function liveWith(names: string[]): LiveFile {
  const seen = { phase: 'working' as const, waitingFor: null, transcript: null, fence: 1 }
  // Dated ahead: it has to count as fresh until the last run.
  const at = new Date(Date.now() + 3_600_000).toISOString()
  return {
    at,
    pid: process.pid,
    sessions: Object.fromEntries(names.map((name) => [name, seen])),
    accounts: [],
  }
}
