/** What this host durably knows of a session: which launch is the newest, and where it went. Read before anything is started or stopped. */
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Home } from '../config/home.js'
import { writeFileAtomic } from './files.js'
import { staleFence } from './errors.js'

const placeSchema = z.object({ kind: z.enum(['account', 'substrate']), name: z.string() })

const launchSchema = z.object({
  fence: z.number().int(),
  place: placeSchema,
  agent: z.string(),
  sessionId: z.string(),
  cwd: z.string(),
  /** Set once the process runs. */
  process: z.object({ pid: z.number().int(), start: z.string() }).nullable(),
  transcriptFrom: z.number().int(),
  /** When the conversation was forked from another, of whose rows its transcript begins with copies; null where it was not. */
  forkedAt: z.string().nullable().default(null),
})
export type LaunchRecord = z.output<typeof launchSchema>

const recordSchema = z.object({
  /** Newest last. Reports of an older launch are attributed by it. */
  launches: z.array(launchSchema),
  /** Fence up to which everything is to stay stopped. */
  stoppedUpTo: z.number().int(),
  /** The newest launch that was called home. */
  calledHome: z.number().int().default(0),
  /** Forks whose work was to be handed over, and the conversation that it is handed over to. */
  forks: z.array(z.object({ id: z.string(), to: z.string(), agent: z.string() })).default([]),
  /** Where the transcript ended when the typing of a text began, by message id. */
  deliveries: z.record(z.string(), z.number().int()),
})
type SessionRecord = z.output<typeof recordSchema>
export type ForkNote = SessionRecord['forks'][number]

/** Reports of launches older than this many are of no use to anybody. */
const launchesKept = 20
const deliveriesKept = 50

export class SessionRecords {
  readonly #home: Home
  readonly #known = new Map<string, SessionRecord>()
  readonly #queues = new Map<string, Promise<unknown>>()

  constructor(home: Home) {
    this.#home = home
  }

  folder(session: string): string {
    const folder = join(this.#home.sessions, session)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }

  newest(session: string): LaunchRecord | null {
    return this.#read(session).launches.at(-1) ?? null
  }

  launch(session: string, fence: number): LaunchRecord | null {
    return this.#read(session).launches.find((launch) => launch.fence === fence) ?? null
  }

  forkedAt(session: string, sessionId: string): string | null {
    const launches = this.#read(session).launches.filter((launch) => launch.sessionId === sessionId)
    return launches.at(-1)?.forkedAt ?? null
  }

  /** Throws StaleFence when a newer launch, or a stop of this one, is known. */
  assertLaunchable(session: string, fence: number): void {
    const record = this.#read(session)
    const newest = record.launches.at(-1)?.fence ?? 0
    if (fence < newest) throw staleFence(session, fence, newest)
    if (fence <= record.stoppedUpTo) throw staleFence(session, fence, record.stoppedUpTo)
  }

  isStopped(session: string, fence: number): boolean {
    return this.#read(session).stoppedUpTo >= fence
  }

  saveLaunch(session: string, launch: LaunchRecord): void {
    const record = this.#read(session)
    const others = record.launches.filter(({ fence }) => fence !== launch.fence)
    this.#write(session, { ...record, launches: [...others, launch].slice(-launchesKept) })
  }

  /** The process of this launch went over to another conversation. Texts on their way are looked for there, from its beginning. */
  saveConversation(session: string, fence: number, sessionId: string, transcriptFrom: number): void {
    const record = this.#read(session)
    const launches = record.launches.map((launch) =>
      launch.fence === fence ? { ...launch, sessionId, transcriptFrom } : launch,
    )
    const deliveries = Object.fromEntries(Object.keys(record.deliveries).map((id) => [id, 0]))
    this.#write(session, { ...record, launches, deliveries })
  }

  saveStop(session: string, fence: number): void {
    const record = this.#read(session)
    if (record.stoppedUpTo < fence) this.#write(session, { ...record, stoppedUpTo: fence })
  }

  saveCall(session: string, fence: number): void {
    const record = this.#read(session)
    if (record.calledHome < fence) this.#write(session, { ...record, calledHome: fence })
  }

  isCalledHome(session: string, fence: number): boolean {
    return this.#read(session).calledHome === fence
  }

  forks(session: string): ForkNote[] {
    return this.#read(session).forks
  }

  /** A fork that is known already goes on under its newest note. */
  saveForks(session: string, notes: readonly ForkNote[]): void {
    const record = this.#read(session)
    const others = record.forks.filter((known) => !notes.some(({ id }) => id === known.id))
    const forks = [...others, ...notes]
    if (JSON.stringify(forks) !== JSON.stringify(record.forks)) this.#write(session, { ...record, forks })
  }

  /** Clearing up is no sign of life: the record stays as old as it was. */
  dropFork(session: string, id: string): void {
    const record = this.#read(session)
    const { atime, mtime } = statSync(this.#file(session))
    this.#write(session, { ...record, forks: record.forks.filter((fork) => fork.id !== id) })
    utimesSync(this.#file(session), atime, mtime)
  }

  /** Takes the session's whole folder away. Only for a session that is over. */
  forget(session: string): void {
    rmSync(join(this.#home.sessions, session), { recursive: true, force: true })
    this.#known.delete(session)
  }

  deliveryFrom(session: string, messageId: string): number | null {
    return this.#read(session).deliveries[messageId] ?? null
  }

  saveDelivery(session: string, messageId: string, transcriptFrom: number): void {
    const record = this.#read(session)
    const all = [...Object.entries(record.deliveries), [messageId, transcriptFrom] as const]
    this.#write(session, { ...record, deliveries: Object.fromEntries(all.slice(-deliveriesKept)) })
  }

  /** Steps of one session on this host come one after the other, also those of attempts that the engine has given up. */
  async inTurn<T>(session: string, step: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(session) ?? Promise.resolve()
    const turn = before.then(step, step)
    const settled = turn.catch(() => undefined)
    this.#queues.set(session, settled)
    try {
      return await turn
    } finally {
      if (this.#queues.get(session) === settled) this.#queues.delete(session)
    }
  }

  #read(session: string): SessionRecord {
    const known = this.#known.get(session)
    if (known) return known
    let record: SessionRecord = { launches: [], stoppedUpTo: 0, calledHome: 0, forks: [], deliveries: {} }
    try {
      record = recordSchema.parse(JSON.parse(readFileSync(this.#file(session), 'utf8')))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    this.#known.set(session, record)
    return record
  }

  #write(session: string, record: SessionRecord): void {
    this.folder(session)
    writeFileAtomic(this.#file(session), JSON.stringify(record))
    this.#known.set(session, record)
  }

  #file(session: string): string {
    return join(this.#home.sessions, session, 'record.json')
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'
