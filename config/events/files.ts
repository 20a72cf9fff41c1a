/**
 * The files of events below OUTPOOL_HOME, one JSON object a line: `events-00000001.jsonl` and so on, the highest number being
 * written. Readers take nothing for granted: a line that is torn, too long or of another version is skipped.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJsonAs } from '../../policy/parseJson.js'
import type { Home } from '../state/home.js'
import { eventSchema, type OutpoolEvent } from './schema.js'

const filePattern = /^events-(\d{8})\.jsonl$/
/** Bytes. No event is nearly as long. */
const maxLine = 64 * 1024

/** Names of the files, oldest first. */
export function eventFiles(home: Home): string[] {
  try {
    return readdirSync(home.events)
      .filter((name) => filePattern.test(name))
      .sort()
  } catch {
    return []
  }
}

/** The name of the file after `name`, or of the first one. */
export function nextEventFile(name: string | undefined): string {
  const number = Number(filePattern.exec(name ?? '')?.[1] ?? 0) + 1
  return `events-${String(number).padStart(8, '0')}.jsonl`
}

export interface EventReaderOptions {
  /** Lines that lack one of these words are not parsed: for a reader that needs few events among many. */
  words?: readonly string[]
  /** Lines that have none of these words are not parsed either. */
  anyOf?: readonly string[]
  /** Files that were last written before this are not read. Milliseconds since the epoch. */
  since?: number
}

/** Reads the events of a home in the order in which they were recorded, each once, over rotations and restarts of the worker. */
export class EventReader {
  readonly #home: Home
  readonly #words: readonly string[]
  readonly #anyOf: readonly string[] | null
  readonly #since: number
  #file: string | null = null
  /** Bytes of the file that were read, up to the end of a line. */
  #offset = 0

  constructor(home: Home, { words = [], anyOf, since = -Infinity }: EventReaderOptions = {}) {
    this.#home = home
    this.#words = words
    this.#anyOf = anyOf ?? null
    this.#since = since
  }

  /** The events that were recorded since the last call; at the first one, all that are kept. */
  next(): OutpoolEvent[] {
    return this.#nextLines().flatMap((line) => parseJsonAs(line, eventSchema) ?? [])
  }

  /** As `next`, but only the ids, which takes a fraction of the time. */
  nextIds(): string[] {
    return this.#nextLines().flatMap((line) => parseJsonAs(line, idSchema)?.id ?? [])
  }

  #nextLines(): string[] {
    const found: string[] = []
    // A file that was removed meanwhile is left behind.
    const { names, at } = this.#position()
    for (const name of names.slice(at)) {
      if (name !== this.#file) [this.#file, this.#offset] = [name, 0]
      found.push(...this.#readOn(join(this.#home.events, name)))
    }
    return found
  }

  #position(): { names: string[]; at: number } {
    const names = eventFiles(this.#home)
    const current = this.#file
    const at = current === null ? 0 : names.findIndex((name) => name >= current)
    return { names, at: at < 0 ? names.length : at }
  }

  /** The rest of a line that is not ended yet is read by a later call. */
  #readOn(path: string): string[] {
    const added = readFrom(path, this.#offset, this.#since)
    const end = added.lastIndexOf(0x0a) + 1
    this.#offset += end
    return added
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '' && line.length <= maxLine && this.#isWanted(line))
  }

  #isWanted(line: string): boolean {
    const has = (word: string): boolean => line.includes(word)
    return this.#words.every(has) && (this.#anyOf === null || this.#anyOf.some(has))
  }
}

const idSchema = z.object({ id: z.string() })

/** Empty for a file that cannot be read, or was last written before `since`. */
function readFrom(path: string, offset: number, since: number): Buffer {
  let file: number | null = null
  try {
    file = openSync(path, 'r')
    const { size, mtimeMs } = fstatSync(file)
    const length = mtimeMs < since ? 0 : Math.max(size - offset, 0)
    const buffer = Buffer.alloc(length)
    return buffer.subarray(0, readSync(file, buffer, 0, length, offset))
  } catch {
    return Buffer.alloc(0)
  } finally {
    if (file !== null) closeSync(file)
  }
}
