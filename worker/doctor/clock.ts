/** The clock: resets are instants, and a wrong clock wakes sessions too early or much too late. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { namedEngine, reach, type NamedEngine } from '../engine/connect.js'
import { engineAhead } from '../engine/pollers.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** File systems and HTTP dates are coarse; this much is no difference. Milliseconds. */
const noise = 5_000
/** Of the engine to answer. Milliseconds. */
const answerWithin = 2_000

const setClock = 'Set the clock, best by a time service such as chrony or systemd-timesyncd.'

/** Compares the clock with the newest file of the home, and with the engine's where one answers. */
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

/** Milliseconds by which the engine's clock is ahead; null where no engine answers. */
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
    // That it does not answer is another check's to say.
    return null
  }
}

function running(home: Home): NamedEngine | null {
  const left = readEngine(home)
  return left === null ? null : { options: { address: left.address }, namespace: left.namespace }
}

/** An instant in summer and what a clock in the zone shows then. Agents name resets in zones such as these. */
const knownTimes = [
  ['UTC', '12:00'],
  ['Europe/Berlin', '14:00'],
  ['America/Los_Angeles', '05:00'],
] as const
const knownInstant = Date.UTC(2026, 6, 1, 12)

/** Reset times are read from texts that name their zone: without the zones they would be read wrong. */
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
