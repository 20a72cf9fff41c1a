/** Why the embedded server did not start, from what it said last. The patterns are its real words (server 1.32). */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { EngineStartError, type EngineStartFailure } from '../errors.js'
import type { Ports } from './ports.js'

export interface FailedStart {
  program: string
  database: string
  ports: Ports
  logFile: string
  /** What it wrote since it was started. */
  output: string
  /** How the process ended, in words. */
  ending: string
}

/** Less than this is full for a database that grows with every event. Bytes. */
export const littleSpace = 8_000_000

export function diagnose(start: FailedStart): EngineStartError {
  const { database, logFile, program } = start
  const words = lastWords(start)
  const make = (fault: EngineStartFailure, what: string, remedy: string): EngineStartError =>
    new EngineStartError(fault, `The engine cannot start: ${what} (${words})`, remedy)

  // For its inner parts it looks for free ports itself, and panics where another program was faster.
  if (/can't set (frontend|UI) port|address already in use|^panic: .*\bport\b/.test(words)) {
    const port = /port (\d+)/.exec(words)?.[1] ?? `${start.ports.grpc} or ${start.ports.ui}`
    return make(
      'port-taken',
      `port ${port} on 127.0.0.1 is taken by another program`,
      `End that program, or end this outpool and run \`outpool up\` again: it then takes the next free port.`,
    )
  }
  // A full disk shows as several faults of SQLite's, also as one of the file, so the disk is asked first.
  if (/disk is full|no space left/i.test(words) || (isStorage(words) && freeSpace(database) < littleSpace))
    return make(
      'disk-full',
      `the disk that holds ${database} is full`,
      `Free some space on it and run \`outpool up\` again. Nothing was deleted.`,
    )
  if (/not a database|malformed|no such (table|column)/.test(words))
    return make(
      'database-broken',
      `its database ${database} is broken, or is no database of Temporal's`,
      `The file was left as it is. Put a good copy in its place, or move it away together with the files beside it whose ` +
        `names end in -wal and -shm, and run \`outpool up\` again: an empty one is made. Agents that still run go on in their ` +
        `panes, watched by nobody; what they said stays in their config dirs.`,
    )
  if (isStorage(words))
    return make(
      'database-not-writable',
      `its database ${database} cannot be written`,
      `Make ${dirname(database)} and the database in it writable for this user, then run \`outpool up\` again.`,
    )
  if (start.output.trim() === '')
    return make(
      'cannot-run',
      `${program} does not run on this machine`,
      `Try \`${program} --version\`; name another one with OUTPOOL_TEMPORAL=/path/to/temporal.`,
    )
  return make('unknown', `${program} ended at once`, `Its own words are in ${logFile}.`)
}

const isStorage = (words: string): boolean =>
  /unable to open database file|readonly|read-only|permission denied|disk I\/O error/i.test(words)

function lastWords({ output, ending }: FailedStart): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  // Of two servers that take one port at the same moment, the later one panics, after a line that says why.
  const said =
    lines.findLast((line) => line.startsWith('Error: ')) ??
    lines.find((line) => /address already in use|^panic: /.test(line))
  return (said ?? lines.at(-1) ?? ending).slice(0, 400)
}

/** Free bytes on the disk that holds the file; unlimited where the system does not say. */
export function freeSpace(file: string): number {
  try {
    const { bavail, bsize } = statfsSync(dirname(file))
    return bavail * bsize
  } catch {
    return Infinity
  }
}
