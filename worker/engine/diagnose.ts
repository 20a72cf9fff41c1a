/** Finds out from its last output why the embedded server did not start. The patterns match the messages of server 1.32. */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { EngineStartError, type EngineStartFailure } from '../errors.js'
import type { Ports } from './ports.js'

export interface FailedStart {
  program: string
  database: string
  ports: Ports
  logFile: string
  /** What it has written since it was started. */
  output: string
  /** How the process ended, in words. */
  ending: string
}

/** A disk with less free space counts as full, since the database grows with every event. Bytes. */
export const littleSpace = 8_000_000

export function diagnose(start: FailedStart): EngineStartError {
  const { database, logFile, program } = start
  const words = lastWords(start)
  const make = (failure: EngineStartFailure, what: string, remedy: string): EngineStartError =>
    new EngineStartError(failure, `The engine cannot start: ${what} (${words})`, remedy)

  // For its internal parts the server chooses free ports itself, and panics if another program takes one first.
  if (/can't set (frontend|UI) port|address already in use|^panic: .*\bport\b/.test(words)) {
    const port =
      /port (\d+)/.exec(words)?.[1] ??
      [start.ports.grpc, start.ports.ui].filter((one) => one !== null).join(' or ')
    return make(
      'port-taken',
      `port ${port} on 127.0.0.1 is taken by another program`,
      `End that program, or stop this outpool and run \`outpool up\` again, which then uses the next free port.`,
    )
  }
  // A full disk appears as various SQLite errors, even as one of the file, so free space is checked first.
  if (/disk is full|no space left/i.test(words) || (isStorage(words) && freeSpace(database) < littleSpace))
    return make(
      'disk-full',
      `the disk that holds ${database} is full`,
      `Free some space on it and run \`outpool up\` again. Nothing was deleted.`,
    )
  if (/not a database|malformed|no such (table|column)/.test(words))
    return make(
      'database-broken',
      `its database ${database} is damaged, or is not a Temporal database`,
      `The file was left as it is. Put a good copy in its place, or move it away together with the files beside it whose ` +
        `names end in -wal and -shm, and run \`outpool up\` again, which creates an empty one. Running agents go on in their ` +
        `panes, but are no longer watched; their conversations stay in their config dirs.`,
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
  return make('unknown', `${program} ended at once`, `See its log: ${logFile}.`)
}

const isStorage = (words: string): boolean =>
  /unable to open database file|readonly|read-only|permission denied|disk I\/O error/i.test(words)

function lastWords({ output, ending }: FailedStart): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  // If two servers take the same port at once, the later one panics, after a line that says why.
  const reason =
    lines.findLast((line) => line.startsWith('Error: ')) ??
    lines.find((line) => /address already in use|^panic: /.test(line))
  return (reason ?? lines.at(-1) ?? ending).slice(0, 400)
}

/** Free bytes on the disk that holds the file; Infinity if the system does not say. */
export function freeSpace(file: string): number {
  try {
    const { bavail, bsize } = statfsSync(dirname(file))
    return bavail * bsize
  } catch {
    return Infinity
  }
}
