/**
 * The files of events below OUTPOOL_HOME, one JSON object a line: `events-00000001.jsonl` and so on, the highest number being
 * written. Readers take nothing for granted: a line that is torn, too long or of another version is skipped.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
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

/** Reads the events of a home in the order in which they were recorded, each once, over rotations and restarts of the worker. */
export class EventReader {
  readonly #home: Home
  #file: string | null = null
  /** Bytes of the file that were read, up to the end of a line. */
  #offset = 0
  readonly #isCandidate: (line: string) => boolean

  /** `isCandidate`: lines for which it is false are not parsed, for a reader that looks for a few events among many. */
  constructor(home: Home, isCandidate: (line: string) => boolean = () => true) {
    this.#home = home
    this.#isCandidate = isCandidate
  }

  /** The events that were recorded since the last call; at the first one, all that are kept. */
  next(): OutpoolEvent[] {
    const found: OutpoolEvent[] = []
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
  #readOn(path: string): OutpoolEvent[] {
    const added = readFrom(path, this.#offset)
    const end = added.lastIndexOf(0x0a) + 1
    this.#offset += end
    return added
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .flatMap((line) => (this.#isCandidate(line) ? (parseLine(line) ?? []) : []))
  }
}

function parseLine(line: string): OutpoolEvent | null {
  return line === '' || line.length > maxLine ? null : parseJsonAs(line, eventSchema)
}

/** Empty for a file that cannot be read. */
function readFrom(path: string, offset: number): Buffer {
  let file: number | null = null
  try {
    file = openSync(path, 'r')
    const length = Math.max(fstatSync(file).size - offset, 0)
    const buffer = Buffer.alloc(length)
    return buffer.subarray(0, readSync(file, buffer, 0, length, offset))
  } catch {
    return Buffer.alloc(0)
  } finally {
    if (file !== null) closeSync(file)
  }
}
