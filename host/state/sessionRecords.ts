/** The durable record of a session on this host: its launches, texts and conversations. Read before anything is started or stopped. */
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { OddFileError } from '../../config/errors.js'
import type { Home } from '../../config/state/home.js'
import { readOwnFile } from '../../config/state/ownFile.js'
import { writeFileAtomic } from './atomicFile.js'
import { KeyedQueue } from './keyedQueue.js'
import { OddFiles } from './oddFiles.js'
import {
  type ConversationProgress,
  type DeliveryRecord,
  type ForkRecord,
  type LaunchRecord,
  recordSchema,
  resetForLaunch,
  type SessionRecord,
} from './sessionRecord.js'
import { StaleFenceError } from '../errors.js'
import { isMissing } from '../../policy/errorFacts.js'

/** Reports of still older launches are of no use. */
const maxLaunches = 20
const maxDeliveries = 50
/** For the session's own conversation, its forks, and others begun in its pane. */
const maxProgressRecords = 50

export class SessionRecords {
  readonly #home: Home
  readonly #known = new Map<string, SessionRecord>()
  readonly #queue = new KeyedQueue()

  readonly #oddFiles: OddFiles
  /** Sessions whose record was broken, and has no launch again so far. */
  readonly #lost = new Set<string>()

  constructor(home: Home, oddFiles = new OddFiles(home)) {
    this.#home = home
    this.#oddFiles = oddFiles
  }

  folder(session: string): string {
    const folder = join(this.#home.sessions, session)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }

  /** Every session of which this host keeps a record. */
  names(): string[] {
    return readdirSync(this.#home.sessions, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  }

  newest(session: string): LaunchRecord | null {
    return this.#read(session).launches.at(-1) ?? null
  }

  /** The places of its newest launches, each once, the newest first. */
  places(session: string): LaunchRecord['place'][] {
    const places = this.#read(session).launches.map(({ place }) => place)
    const isLast = (place: LaunchRecord['place'], index: number): boolean =>
      !places.slice(index + 1).some(({ kind, name }) => kind === place.kind && name === place.name)
    return places.filter(isLast).reverse()
  }

  launch(session: string, fence: number): LaunchRecord | null {
    return this.#read(session).launches.find((launch) => launch.fence === fence) ?? null
  }

  /** Whether the text was typed to the process of this launch, and not taken so far. */
  wasTyped(session: string, fence: number, print: string): boolean {
    const deliveries = Object.values(this.#read(session).deliveries)
    return deliveries.some((one) => one.fence === fence && !one.taken && one.print === print)
  }

  /** Size of the transcript when the prompt was first submitted with a launch, in bytes; null if it never was. */
  promptedFrom(session: string, print: string): number | null {
    return this.#read(session).launches.find(({ prompt }) => prompt === print)?.transcriptFrom ?? null
  }

  /** Ids of the conversations that it has had on this host, and the agent program of the newest; null if it was never launched. */
  conversations(session: string): { agent: string; ids: string[] } | null {
    const { launches, traces } = this.#read(session)
    const agent = launches.at(-1)?.agent
    if (agent === undefined) return null
    return {
      agent,
      ids: [...new Set([...launches.map(({ sessionId }) => sessionId), ...Object.keys(traces)])],
    }
  }

  forkedAt(session: string, sessionId: string): string | null {
    const launches = this.#read(session).launches.filter((launch) => launch.sessionId === sessionId)
    return launches.at(-1)?.forkedAt ?? null
  }

  /** Throws StaleFence when a newer launch, or a stop of this one, is known. */
  assertLaunchable(session: string, fence: number): void {
    const record = this.#read(session)
    const newest = record.launches.at(-1)?.fence ?? 0
    if (fence < newest) throw new StaleFenceError(session, fence, newest)
    if (fence <= record.stoppedUpTo) throw new StaleFenceError(session, fence, record.stoppedUpTo)
  }

  isStopped(session: string, fence: number): boolean {
    return this.#read(session).stoppedUpTo >= fence
  }

  /** Whether the record was broken, so that only the pane shows which launches there were. */
  isLost(session: string): boolean {
    this.#read(session)
    return this.#lost.has(session)
  }

  saveLaunch(session: string, launch: LaunchRecord): void {
    const record = this.#read(session)
    this.#lost.delete(session)
    const others = record.launches.filter(({ fence }) => fence !== launch.fence)
    this.#write(session, { ...record, launches: [...others, launch].slice(-maxLaunches) })
  }

  /** The process of this launch has changed to another conversation. Pending texts are typed there as if for the first time. */
  saveConversation(session: string, fence: number, sessionId: string, transcriptFrom: number): void {
    const record = this.#read(session)
    const launches = record.launches.map((launch) =>
      launch.fence === fence ? { ...launch, sessionId, transcriptFrom } : launch,
    )
    const deliveries = Object.fromEntries(
      Object.entries(record.deliveries).map(([id, one]) => [
        id,
        {
          ...resetForLaunch(one, fence),
          conversation: sessionId,
          from: transcriptFrom,
          mark: transcriptFrom,
        },
      ]),
    )
    this.#write(session, { ...record, launches, deliveries })
  }

  saveStop(session: string, fence: number): void {
    const record = this.#read(session)
    if (record.stoppedUpTo < fence) this.#write(session, { ...record, stoppedUpTo: fence })
  }

  saveFailbackRequest(session: string, fence: number): void {
    const record = this.#read(session)
    if (record.failbackRequestedFor < fence) this.#write(session, { ...record, failbackRequestedFor: fence })
  }

  isFailbackRequested(session: string, fence: number): boolean {
    return this.#read(session).failbackRequestedFor === fence
  }

  released(session: string): LaunchRecord['process'] {
    return this.#read(session).released
  }

  /** Launches up to this fence count as stopped, and no step finds their processes any more. */
  saveRelease(session: string, fence: number, released: LaunchRecord['process']): void {
    const record = this.#read(session)
    const launches = record.launches.map((launch) => ({ ...launch, process: null }))
    const stoppedUpTo = Math.max(record.stoppedUpTo, fence)
    this.#write(session, { ...record, launches, stoppedUpTo, released })
  }

  forks(session: string): ForkRecord[] {
    return this.#read(session).forks
  }

  /** Replaces the records of forks that are known already. */
  saveForks(session: string, added: readonly ForkRecord[]): void {
    const record = this.#read(session)
    const others = record.forks.filter((known) => !added.some(({ id }) => id === known.id))
    const forks = [...others, ...added]
    if (JSON.stringify(forks) !== JSON.stringify(record.forks)) this.#write(session, { ...record, forks })
  }

  /** Keeps the file's modification time, because a cleanup is not activity of the session. */
  removeFork(session: string, id: string): void {
    const record = this.#read(session)
    const { atime, mtime } = statSync(this.#file(session))
    this.#write(session, { ...record, forks: record.forks.filter((fork) => fork.id !== id) })
    utimesSync(this.#file(session), atime, mtime)
  }

  progress(session: string, conversation: string): ConversationProgress | null {
    return this.#read(session).traces[conversation] ?? null
  }

  saveProgress(session: string, conversation: string, progress: ConversationProgress): void {
    const record = this.#read(session)
    const known = record.traces[conversation]
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(progress)) return
    const others = Object.entries(record.traces).filter(([id]) => id !== conversation)
    const traces = Object.fromEntries(
      [...others, [conversation, progress] as const].slice(-maxProgressRecords),
    )
    this.#write(session, { ...record, traces })
  }

  /** Removes the session's whole folder. Only for a session that is over. */
  forget(session: string): void {
    rmSync(join(this.#home.sessions, session), { recursive: true, force: true })
    this.#known.delete(session)
  }

  /** If the text was typed into another conversation, such as a fork, the record counts only once the text was taken there. */
  delivery(session: string, messageId: string, conversation: string): DeliveryRecord | null {
    const known = this.#read(session).deliveries[messageId] ?? null
    return known === null || known.taken || known.conversation === conversation ? known : null
  }

  saveDelivery(session: string, messageId: string, delivery: DeliveryRecord): void {
    const record = this.#read(session)
    const others = Object.entries(record.deliveries).filter(([id]) => id !== messageId)
    const all = [...others, [messageId, delivery] as const]
    this.#write(session, { ...record, deliveries: Object.fromEntries(all.slice(-maxDeliveries)) })
  }

  /** A person has asked to type a text again that the agent did not take. */
  forgetDelivery(session: string, messageId: string): void {
    const record = this.#read(session)
    const deliveries = Object.entries(record.deliveries).filter(([id]) => id !== messageId)
    this.#write(session, { ...record, deliveries: Object.fromEntries(deliveries) })
  }

  /** Steps of one session on this host run one after the other, even those of attempts that the engine has given up. */
  runExclusive<T>(session: string, step: () => Promise<T>): Promise<T> {
    return this.#queue.run(session, step)
  }

  #read(session: string): SessionRecord {
    const known = this.#known.get(session)
    if (known) return known
    const record = this.#load(session) ?? {
      ...{ launches: [], stoppedUpTo: 0, released: null, failbackRequestedFor: 0 },
      ...{ forks: [], traces: {}, deliveries: {} },
    }
    this.#known.set(session, record)
    return record
  }

  /** A broken record is set aside: it must stop neither its session nor others. */
  #load(session: string): SessionRecord | null {
    const file = this.#file(session)
    try {
      return recordSchema.parse(JSON.parse(readOwnFile(file)))
    } catch (error) {
      if (isMissing(error)) return null
      const isBroken =
        error instanceof SyntaxError || error instanceof z.ZodError || error instanceof OddFileError
      if (!isBroken) throw error
      const why = error instanceof OddFileError ? `it is ${error.oddity}` : 'its content is broken'
      this.#oddFiles.setAside(file, `${why}; the record is made again from the pane and the engine`)
      this.#lost.add(session)
      return null
    }
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
