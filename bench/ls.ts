/** `outpool ls` with many sessions, over starting the same runtime empty. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, Connection } from '@temporalio/client'
import { startSession } from '../client/engine/startSession.js'
import type { LiveFile } from '../config/state/liveFile.js'
import { sealedClient } from '../lab/engine/sealed.js'
import { devServer } from '../lab/engine/engine.js'
import { until } from '../lab/until.js'
import { defaultTiming } from '../policy/account/account.js'
import type { SessionStart } from '../workflows/messages.js'
import { runAlternating, type Measure } from './harness.js'

const usualSessions = 500
/** Requested in one batch while the list is being filled. */
const startsAtOnce = 25
const bin = fileURLToPath(new URL('../dist/client/bin.js', import.meta.url))

export const ls: Measure = {
  name: 'ls',
  description: '`outpool ls`',
  runs: 8,
  run: async ({ runs, sessions: requested }) => {
    const sessions = requested ?? usualSessions
    const server = await devServer()
    const connection = await Connection.connect(server.connectOptions)
    try {
      const client = sealedClient(server.home, connection, server.namespace)
      const names = Array.from({ length: sessions }, (_, index) => `s-${index + 1}`)
      for (let from = 0; from < sessions; from += startsAtOnce)
        await Promise.all(names.slice(from, from + startsAtOnce).map((name) => begin(client, name)))
      mkdirSync(server.home.dir, { recursive: true })
      writeFileSync(server.home.liveFile, JSON.stringify(liveWith(names)))
      const empty = join(server.home.dir, 'empty.mjs')
      writeFileSync(empty, '')
      const env = { PATH: process.env['PATH'], HOME: server.home.dir, OUTPOOL_HOME: server.home.dir }
      const run = (...args: string[]): string =>
        execFileSync(process.execPath, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      const timed = (...args: string[]): number => {
        const from = performance.now()
        run(...args)
        return performance.now() - from
      }
      await until(
        'all sessions in the list',
        () => Promise.resolve(run(bin, 'ls', '--json')),
        (listed) => (JSON.parse(listed) as unknown[]).length === sessions,
      )
      const times = await runAlternating(
        runs,
        () => Promise.resolve(timed(empty)),
        () => Promise.resolve(timed(bin, 'ls')),
      )
      const description = `\`outpool ls\` with ${sessions} sessions; floor: the same runtime, started empty`
      return {
        sessions,
        aims: usualSessions,
        rows: [{ description, unit: 'ms', ...times, goal: { over: 150 } }],
      }
    } finally {
      await connection.close()
      await server.stop()
    }
  },
}

/** Memo and search attributes as `outpool start` makes them; a session need not run to be listed. */
async function begin(client: Client, name: string): Promise<void> {
  const { namespace } = client.options
  const start: SessionStart = {
    ...{ name, pool: 'main', sessionId: randomUUID(), host: 'bench', agent: 'claude-code', model: null },
    ...{ cwd: `/home/somebody/work/${name}`, account: 'max-1', pinned: false, priority: 0, prompt: null },
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
