/**
 * Which files of projects a person has seen and trusts, by their content: what has changed since is not trusted. Read at each use,
 * because `outpool trust` writes it in another process.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { readOwnBytes } from './ownFile.js'
import { readJson } from './readJson.js'
import { replaceFile } from './replaceFile.js'

/** Digests by the path of the file. */
const trustSchema = z.record(z.string().max(4_096), z.string().max(128))
type Trusted = z.output<typeof trustSchema>

export interface SeenFile {
  /** Absolute. */
  file: string
  /** Of what matters in its content. */
  digest: string
}

/** Programs may be large. Bytes. */
const seenMaxBytes = 256 * 1024 * 1024

/** Any file with its whole content. Null if it cannot be read, is a link or no regular file, or if others may write it. */
export function seenFile(file: string): SeenFile | null {
  try {
    return { file, digest: createHash('sha256').update(readOwnBytes(file, seenMaxBytes)).digest('hex') }
  } catch {
    return null
  }
}

export class TrustStore {
  readonly #file: string

  /** `dir`: the folder of Outpool's state, which may not exist. */
  constructor({ dir }: { dir: string }) {
    this.#file = join(dir, 'trust.json')
  }

  /** Those that a person has not seen, or not as they are now. */
  untrusted<Found extends SeenFile>(found: readonly Found[]): Found[] {
    const trusted = found.length === 0 ? {} : this.#read()
    return found.filter(({ file, digest }) => trusted[file] !== digest)
  }

  /** The content with which a person trusts this file; null if none. */
  digestOf(file: string): string | null {
    return this.#read()[file] ?? null
  }

  trust(found: readonly SeenFile[]): void {
    this.#write({ ...this.#read(), ...Object.fromEntries(found.map(({ file, digest }) => [file, digest])) })
  }

  /** Returns how many were trusted before. */
  revoke(isRevoked: (file: string) => boolean): number {
    const trusted = Object.entries(this.#read())
    const kept = trusted.filter(([file]) => !isRevoked(file))
    this.#write(Object.fromEntries(kept))
    return trusted.length - kept.length
  }

  /** A broken file trusts nothing. */
  #read(): Trusted {
    return readJson(this.#file, trustSchema) ?? {}
  }

  #write(trusted: Trusted): void {
    replaceFile(this.#file, `${JSON.stringify(trusted, null, 2)}\n`)
  }
}
