/**
 * What this host keeps of a session that has no process: its sealed state, from which it is started again if its workflow is deleted at
 * the engine. In the session's folder, so that it goes with it.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from './readJson.js'
import { replaceFile } from './replaceFile.js'
import type { Home } from './home.js'

const instant = z.iso.datetime()

const storedSchema = z.object({
  /** The engine's id of the namespace: another engine never had this session. */
  engine: z.string(),
  runId: z.string(),
  /** Of the run; by the engine's clock. */
  startedAt: instant,
  /** Of a stopped session: when its run ended. */
  closedAt: instant.nullable(),
  /** Changes with what the session shows. */
  mark: z.string(),
  /** Digest of the message that started the run. */
  start: z.string(),
  savedAt: instant,
  /** `{ state }`, sealed as messages are. */
  sealed: z.string(),
})
export type StoredSession = z.output<typeof storedSchema>

/** A person has taken it off the list: what ended before this is not to come back. */
const forgottenSchema = z.object({ forgottenAt: instant })

const fileOf = (home: Pick<Home, 'sessions'>, session: string): string =>
  join(home.sessions, session, 'state.json')

/** Null if there is none. */
export const readStoredSession = (
  home: Pick<Home, 'sessions'>,
  session: string,
): StoredSession | { forgottenAt: string } | null =>
  readJson(fileOf(home, session), z.union([forgottenSchema, storedSchema]))

/** Every one, with the name of its session. */
export const storedSessions = (home: Pick<Home, 'sessions'>): (StoredSession & { session: string })[] =>
  readdirSync(home.sessions, { withFileTypes: true }).flatMap((entry) => {
    const stored = entry.isDirectory() ? readStoredSession(home, entry.name) : null
    return stored === null || 'forgottenAt' in stored ? [] : [{ ...stored, session: entry.name }]
  })

export const storeSession = (home: Pick<Home, 'sessions'>, session: string, stored: StoredSession): void =>
  write(home, session, stored)

/** For a session that is to be removed from the engine on purpose. */
export const forgetStoredSession = (home: Pick<Home, 'sessions'>, session: string, now: Date): void =>
  write(home, session, { forgottenAt: now.toISOString() })

export const dropStoredSession = (home: Pick<Home, 'sessions'>, session: string): void =>
  rmSync(fileOf(home, session), { force: true })

function write(home: Pick<Home, 'sessions'>, session: string, content: object): void {
  mkdirSync(join(home.sessions, session), { recursive: true, mode: 0o700 })
  replaceFile(fileOf(home, session), JSON.stringify(content))
}
