/**
 * Records events in files of this host, each once. A source that was interrupted gives its events again with the same ids, and
 * the store ignores those that it has. So an event that the engine has accepted is neither lost nor shown twice.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { EventReader, eventFiles, nextEventFile } from '../../config/events/files.js'
import { type EventDraft, eventSchema, eventVersion, type OutpoolEvent } from '../../config/events/schema.js'
import type { EventBounds } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { log } from '../log.js'

/** All files together keep within the bound, so that the oldest events are removed in parts. */
const filesAtMost = 8
/** Bytes: a line that was torn by a full disk has to be ended before the next one. */
const newline = 0x0a
/** Events that wait in memory while the disk is full; beyond this number the oldest are dropped. */
const maxUnwritten = 10_000
/** Milliseconds. */
const retryEvery = 5_000

export class EventStore {
  readonly #home: Home
  readonly #bounds: () => EventBounds
  readonly #onRecorded: (event: OutpoolEvent) => void
  #ids: Set<string> | null = null
  #unwritten: OutpoolEvent[] = []
  #retry: NodeJS.Timeout | null = null

  /** `bounds` is called at each use. `onRecorded` is called once for each event, after it was written. */
  constructor(
    home: Home,
    bounds: () => EventBounds,
    onRecorded: (event: OutpoolEvent) => void = () => undefined,
  ) {
    this.#home = home
    this.#bounds = bounds
    this.#onRecorded = onRecorded
  }

  /** Every event that is kept and whose line has all of these words, oldest first. */
  stored(...words: string[]): OutpoolEvent[] {
    return new EventReader(this.#home, { words }).next()
  }

  /** Never throws: a full disk must not stop a rescue. What could not be written is tried again. */
  record(...drafts: EventDraft[]): void {
    const ids = (this.#ids ??= this.#knownIds())
    for (const draft of drafts) {
      const parsed = eventSchema.safeParse({ ...draft, v: eventVersion, host: this.#home.hostId })
      if (!parsed.success) {
        log.error({ err: parsed.error }, `the event ${draft.kind} is not valid and was dropped`)
        continue
      }
      const event = parsed.data
      if (ids.has(event.id)) continue
      ids.add(event.id)
      this.#unwritten.push(event)
    }
    this.#write()
  }

  /**
   * Removes files that are older than the bound, or beyond the size less `room`, in bytes. `now`: ms since the epoch. Returns how
   * many.
   */
  prune(now: number, room = 0): number {
    const files = eventFiles(this.#home).map((name) => {
      const path = join(this.#home.events, name)
      const { size, mtimeMs } = statSync(path)
      return { path, size, mtimeMs }
    })
    let total = files.reduce((sum, { size }) => sum + size, 0)
    let removed = 0
    const { maxSize, keepFor } = this.#bounds()
    for (const { path, size, mtimeMs } of files.slice(0, -1)) {
      if (total <= maxSize - room && now - mtimeMs <= keepFor) break
      rmSync(path, { force: true })
      total -= size
      removed += 1
    }
    return removed
  }

  #write(): void {
    if (this.#unwritten.length === 0) return
    const events = this.#unwritten
    try {
      const text = events.map((event) => `${JSON.stringify(event)}\n`).join('')
      this.#append(Buffer.from(text))
    } catch (error) {
      log.error({ err: error }, 'events could not be written; outpool tries again')
      this.#unwritten = events.slice(-maxUnwritten)
      this.#retry ??= setTimeout(() => {
        this.#retry = null
        this.#write()
      }, retryEvery).unref()
      return
    }
    this.#unwritten = []
    for (const event of events) this.#onRecorded(event)
  }

  /** All lines or none, as far as the system allows. A line that was torn before is ended first: readers skip it. */
  #append(lines: Buffer): void {
    const path = join(this.#home.events, this.#currentFile())
    const file = openSync(path, 'a+', 0o600)
    try {
      const { size } = fstatSync(file)
      const last = Buffer.alloc(1)
      const isTorn = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== newline
      const whole = isTorn ? Buffer.concat([Buffer.of(newline), lines]) : lines
      try {
        for (let done = 0; done < whole.length;) done += writeSync(file, whole, done)
      } catch (error) {
        // Every line is written again later.
        ftruncateSync(file, size)
        throw error
      }
    } finally {
      closeSync(file)
    }
  }

  /** The newest file, or the one after it if that is full. */
  #currentFile(): string {
    const newest = eventFiles(this.#home).at(-1)
    const size = this.#bounds().maxSize / filesAtMost
    const isFull = (name: string): boolean => statSync(join(this.#home.events, name)).size >= size
    if (newest !== undefined && !isFull(newest)) return newest
    // Ids of events that are no longer kept are forgotten.
    if (this.prune(Date.now(), size) > 0) this.#ids = this.#knownIds()
    return nextEventFile(newest)
  }

  #knownIds(): Set<string> {
    return new Set([...new EventReader(this.#home).nextIds(), ...this.#unwritten.map(({ id }) => id)])
  }
}
