/** Notices that a file has changed. It polls: file-system events get lost on network drives, and when an editor replaces the file. */
import { statSync } from 'node:fs'

/** An editor may write a file in several steps: a change counts once the file has been the same for two looks. */
export class FileWatch {
  readonly #file: string
  #taken: string
  #seen: string

  constructor(file: string) {
    this.#file = file
    this.#taken = this.#seen = this.#state()
  }

  /** Whether the file is not as it was when it was last taken, and has settled. */
  hasChanged(): boolean {
    const state = this.#state()
    const isSettled = state === this.#seen
    this.#seen = state
    return isSettled && state !== this.#taken
  }

  /** The file as it was at the last look counts as taken. */
  take(): void {
    this.#taken = this.#seen
  }

  /** `missing` for one that cannot be read. */
  #state(): string {
    try {
      const { ino, size, mtimeMs } = statSync(this.#file)
      return `${ino} ${size} ${mtimeMs}`
    } catch {
      return 'missing'
    }
  }
}
