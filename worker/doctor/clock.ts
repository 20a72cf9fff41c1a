/** The clock: resets are instants, and a wrong clock wakes sessions too early or much too late. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { namedEngine, reach, type NamedEngine } from '../engine/connect.js'
import { engineAhead } from '../../config/engine/pollers.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** File systems and HTTP dates are coarse, so smaller differences don't count. Milliseconds. */
const noise = 5_000
/** For the engine to answer. Milliseconds. */
const answerWithin = 10_000

const setClock = 'Set the clock, preferably with a time service such as chrony or systemd-timesyncd.'

/** Compares the clock with the newest file of the home, and with the engine's clock if one answers. */
export async function checkClock(
  home: Home,
  now: () => number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Finding> {
  const compared: string[] = []
  const newest = await newestFile(home)
  if (newest !== null) {
    const ahead = newest.at - now()
    if (ahead > noise)
      return warn('clock', `is ${seconds(ahead)} behind ${newest.file}, which was written earlier`, setClock)
    compared.push('not behind the newest file of the home')
  }
  const engine = await engineAheadOf(home, env, now)
  if (engine === null) compared.push('no engine answers to compare with')
  else if (Math.abs(engine) > noise)
    return warn(
      'clock',
      `differs by ${seconds(Math.abs(engine))} from the engine's (${engine > 0 ? 'behind' : 'ahead'}); ` +
        'a worker takes that into account',
      setClock,
    )
  else compared.push("the same as the engine's")
  return ok('clock', `${new Date(now()).toISOString()}: ${compared.join('; ')}`)
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`

async function newestFile(home: Home): Promise<{ file: string; at: number } | null> {
  const folders = [home.dir, home.reports, home.quota, home.sessions, home.logs]
  const names = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
      return entries.filter((entry) => entry.isFile()).map((entry) => join(folder, entry.name))
    }),
  )
  const files = await Promise.all(
    names.flat().map(async (file) => ({ file, at: (await stat(file).catch(() => null))?.mtimeMs ?? 0 })),
  )
  return files.reduce<{ file: string; at: number } | null>(
    (newest, one) => (newest === null || one.at > newest.at ? one : newest),
    null,
  )
}

/** Milliseconds by which the engine's clock is ahead; null if no engine answers. */
async function engineAheadOf(home: Home, env: NodeJS.ProcessEnv, now: () => number): Promise<number | null> {
  try {
    const engine = namedEngine(env) ?? running(home)
    if (engine === null) return null
    const connection = await reach(engine.options, answerWithin)
    try {
      return await engineAhead(connection, engine.namespace, now)
    } finally {
      await connection.close()
    }
  } catch {
    // Another check reports an engine that does not answer.
    return null
  }
}

function running(home: Home): NamedEngine | null {
  const endpoint = readEngine(home)
  return endpoint === null ? null : { options: { address: endpoint.address }, namespace: endpoint.namespace }
}

/** An instant in summer and what a clock in the zone shows then. Agents name resets in zones such as these. */
const knownTimes = [
  ['UTC', '12:00'],
  ['Europe/Berlin', '14:00'],
  ['America/Los_Angeles', '05:00'],
] as const
const knownInstant = Date.UTC(2026, 6, 1, 12)

/** Reset times are parsed from texts that name a time zone, so the zones must be known. */
export function checkZones(): Finding {
  const wrong = knownTimes.filter(([zone, shown]) => timeIn(zone) !== shown).map(([zone]) => zone)
  return wrong.length === 0
    ? ok('time zones', 'known')
    : fail(
        'time zones',
        `Node.js does not know ${wrong.join(', ')}`,
        'Use a Node.js with full ICU data, such as the official builds; unset NODE_ICU_DATA if it is set.',
      )
}

function timeIn(timeZone: string): string | null {
  try {
    const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
    return format.format(knownInstant)
  } catch {
    return null
  }
}
