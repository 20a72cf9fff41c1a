/**
 * Files in Outpool's folders that it does not act on. They are moved out of the way, so that they stop nothing, and kept for a person,
 * to whom `doctor` names them.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Home } from '../../config/state/home.js'
import { log } from '../log.js'

/** Beyond this number the oldest are removed. */
const maxKept = 100

export class OddFiles {
  readonly #home: Home
  /** Paths that could not be moved, and are passed over as long as this process runs. */
  readonly #stuck = new Set<string>()
  #count = 0

  constructor(home: Home) {
    this.#home = home
  }

  isStuck(path: string): boolean {
    return this.#stuck.has(path)
  }

  /** `why` is for the log. Never throws. */
  setAside(path: string, why: string): void {
    const kept = join(this.#home.odd, `${Date.now()}-${process.pid}-${++this.#count}-${basename(path)}`)
    try {
      mkdirSync(this.#home.odd, { recursive: true, mode: 0o700 })
      renameSync(path, kept)
      log.warn(`${path} was set aside as ${kept}: ${why}`)
    } catch (error) {
      this.#stuck.add(path)
      log.error({ err: error }, `${path} is not used, and can't be set aside: ${why}`)
    }
    this.#removeOldest()
  }

  /** Their names sort by time. */
  #removeOldest(): void {
    try {
      for (const name of readdirSync(this.#home.odd).sort().slice(0, -maxKept))
        rmSync(join(this.#home.odd, name), { recursive: true, force: true })
    } catch {
      // They stay: nothing reads them.
    }
  }
}
