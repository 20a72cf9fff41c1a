/**
 * Adoptions of a host: for each adopted session, which process it takes over and how that process was started. Kept in a file of the
 * session (0600), since environments and command lines may hold secrets.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Home } from '../../config/state/home.js'
import { readJson } from '../../config/state/readJson.js'
import { writeFileAtomic } from './atomicFile.js'
import type { SessionRecords } from './sessionRecords.js'

const recordSchema = z.object({
  /**
   * `waiting`: the process is not touched yet. `taken`: it has ended, or there was none. `returning`: it is being started again where it
   * was. `settled`: the adoption is over, and the session runs on with `args` and `env`.
   */
  state: z.enum(['waiting', 'taken', 'returning', 'settled']),
  sessionId: z.string(),
  process: z.object({ pid: z.number().int(), start: z.string() }).nullable(),
  terminal: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('tmux'), socket: z.string(), pane: z.string(), hasShell: z.boolean() }),
      z.object({ kind: z.literal('tty'), path: z.string() }),
    ])
    .nullable(),
  transcript: z.string(),
  cwd: z.string(),
  /** Its whole command line and environment, to start it again where it was. Empty and null for a conversation that was stopped. */
  argv: z.array(z.string()),
  env: z.record(z.string(), z.string()).nullable(),
  /** The arguments with which the session's processes are started in place of the configured ones; null for the configured ones. */
  args: z.array(z.string()).nullable(),
  /** The model that it was started with; null for the program's default. */
  model: z.string().nullable(),
})
export type AdoptionRecord = z.output<typeof recordSchema>

const fileName = 'adoption.json'

export class Adoptions {
  readonly #home: Home
  readonly #records: SessionRecords

  constructor(home: Home, records: SessionRecords) {
    this.#home = home
    this.#records = records
  }

  /** Null if the session was not adopted. */
  of(session: string): AdoptionRecord | null {
    return readJson(join(this.#home.sessions, session, fileName), recordSchema)
  }

  save(session: string, record: AdoptionRecord): void {
    writeFileAtomic(join(this.#records.folder(session), fileName), JSON.stringify(record))
  }

  remove(session: string): void {
    rmSync(join(this.#home.sessions, session, fileName), { force: true })
  }

  /** Another session that is taking over this conversation, or null. */
  rivalOf(session: string, sessionId: string): string | null {
    return (
      readdirSync(this.#home.sessions).find((name) => {
        const record = name === session ? null : this.of(name)
        return record !== null && record.sessionId === sessionId && record.state !== 'settled'
      }) ?? null
    )
  }

  /**
   * How the session's processes are started; null for a session that was not adopted, or not yet. Null for what is not known, as of a
   * conversation that had no process.
   */
  startOf(session: string): Pick<AdoptionRecord, 'args' | 'env'> | null {
    const record = this.of(session)
    return record === null || record.state === 'waiting' ? null : record
  }
}
