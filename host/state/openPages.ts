/** Pages of the agent program that blocked starts on this host and that a person has to answer. Kept across restarts. */
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../config/state/readJson.js'
import type { HostPages, OpenPage } from '../../policy/account/account.js'
import type { Home } from '../../config/state/home.js'
import { pageSchema } from '../../config/state/liveFile.js'
import { writeFileAtomic } from './atomicFile.js'

const markSchema = pageSchema.extend({
  /** The folder of the session that met the page, and the fingerprint of what the program's pages depended on then. */
  metIn: z.string(),
  ground: z.string(),
})
const fileSchema = z.record(z.string(), z.object({ at: z.string(), marks: z.array(markSchema) }))

export type RecordedPage = z.output<typeof markSchema>

/** Pages that are kept for each account; beyond that the oldest are dropped and their starts tried again. */
const maxPages = 50

export class OpenPages {
  readonly #file: string
  readonly #host: string
  #accounts: z.output<typeof fileSchema>

  constructor({ dir, hostId }: Pick<Home, 'dir' | 'hostId'>) {
    this.#file = join(dir, 'pages.json')
    this.#host = hostId
    this.#accounts = load(this.#file)
  }

  /** A page replaces an earlier one in the same folder. */
  record(account: string, mark: RecordedPage): void {
    const others = (this.#accounts[account]?.marks ?? []).filter(({ cwd }) => cwd !== mark.cwd)
    this.#save(account, [...others, mark].slice(-maxPages), mark.at)
  }

  /** A start in this folder has succeeded, so its page is no longer open. */
  forget(account: string, cwd: string): void {
    const marks = this.#accounts[account]?.marks ?? []
    const left = marks.filter((mark) => mark.cwd !== null && mark.cwd !== cwd)
    if (left.length < marks.length) this.#save(account, left, new Date().toISOString())
  }

  /** For the pool; undefined for an account that never had a page. */
  of(account: string): HostPages | undefined {
    const known = this.#accounts[account]
    if (known === undefined) return undefined
    const open = known.marks.map(({ cwd, what, remedy, at, until }): OpenPage => ({
      ...{ cwd, what, remedy, at, until },
    }))
    return { host: this.#host, at: known.at, open }
  }

  /** Removes pages whose fingerprint has changed, and expired ones. Returns whether it removed any. */
  async removeAnswered(fingerprintOf: (account: string, cwd: string) => Promise<string>): Promise<boolean> {
    let hasChanged = false
    for (const [account, { marks }] of Object.entries(this.#accounts)) {
      const removed: RecordedPage[] = []
      for (const mark of marks) {
        const isOver = Date.parse(mark.until) <= Date.now()
        if (isOver || (await fingerprintOf(account, mark.metIn)) !== mark.ground) removed.push(mark)
      }
      if (removed.length === 0) continue
      hasChanged = true
      // Pages that were recorded meanwhile stay.
      const left = (this.#accounts[account]?.marks ?? []).filter((mark) => !removed.includes(mark))
      this.#save(account, left, new Date().toISOString())
    }
    return hasChanged
  }

  #save(account: string, marks: RecordedPage[], at: string): void {
    this.#accounts = { ...this.#accounts, [account]: { at, marks } }
    writeFileAtomic(this.#file, JSON.stringify(this.#accounts))
  }
}

/** A file that can't be read counts as empty: pages that are still open will be met again. */
const load = (file: string): z.output<typeof fileSchema> => readJson(file, fileSchema) ?? {}
