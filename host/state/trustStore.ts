/**
 * Which settings of projects a person has seen and trusts, by their content: what has changed since is not trusted. Read at each use,
 * because `outpool trust` writes it in another process.
 */
import { join } from 'node:path'
import { z } from 'zod'
import type { ProjectSettings } from '../../agents/agent.js'
import type { Home } from '../../config/state/home.js'
import { readJson } from '../../config/state/readJson.js'
import { writeFileAtomic } from './atomicFile.js'

/** Digests by the path of the file. */
const trustSchema = z.record(z.string().max(4_096), z.string().max(128))
type Trusted = z.output<typeof trustSchema>

export class TrustStore {
  readonly #file: string

  constructor(home: Pick<Home, 'dir'>) {
    this.#file = join(home.dir, 'trust.json')
  }

  /** Those that a person has not seen, or not as they are now. */
  untrusted(found: readonly ProjectSettings[]): ProjectSettings[] {
    const trusted = found.length === 0 ? {} : this.#read()
    return found.filter(({ file, digest }) => trusted[file] !== digest)
  }

  trust(found: readonly ProjectSettings[]): void {
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
    writeFileAtomic(this.#file, `${JSON.stringify(trusted, null, 2)}\n`)
  }
}
