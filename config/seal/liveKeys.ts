/** The keys of a process that runs for long: a key that `outpool key` has added to the file since is known without a restart. */
import { statSync } from 'node:fs'
import { SealKeyError } from '../errors.js'
import type { Home } from '../state/home.js'
import { readSealKeys, type SealKey, type SealKeys } from './keys.js'

/** How often the file is checked for another key that is to seal. Milliseconds. */
const checkEvery = 1_000

export class LiveSealKeys implements SealKeys {
  readonly #home: Home
  #keys: SealKeys
  #version: string
  #checkedAt = performance.now()

  /** Throws SealKeyError if there is no valid file. */
  constructor(home: Home) {
    this.#home = home
    this.#version = versionOf(home.sealKeys)
    this.#keys = readSealKeys(home)
  }

  get current(): SealKey {
    if (performance.now() - this.#checkedAt >= checkEvery) this.#refresh()
    return this.#keys.current
  }

  get byId(): ReadonlyMap<string, SealKey> {
    return this.#keys.byId
  }

  /** Reads the file at once: a message under a new key may come before the next check, and would be dropped. */
  find(id: string): SealKey | undefined {
    const known = this.#keys.find(id)
    if (known !== undefined) return known
    this.#refresh()
    return this.#keys.find(id)
  }

  /** A file that is not valid now is as good as an unchanged one: what is sealed has to stay readable. */
  #refresh(): void {
    this.#checkedAt = performance.now()
    const version = versionOf(this.#home.sealKeys)
    if (version === this.#version) return
    try {
      this.#keys = readSealKeys(this.#home)
      this.#version = version
    } catch (error) {
      if (!(error instanceof SealKeyError)) throw error
    }
  }
}

/** Each write of the file makes a new one. */
function versionOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false, bigint: true })
  return info === undefined ? '' : `${info.ino}/${info.mtimeNs}/${info.size}`
}
