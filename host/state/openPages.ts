/** Pages of the agent program that blocked starts on this host and that a person has to answer. Kept across restarts. */
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../config/state/readJson.js'
import type { HostPages, OpenPage } from '../../policy/account/account.js'
import type { Home } from '../../config/state/home.js'
import { pageSchema } from '../../config/state/liveFile.js'
import { writeFileAtomic } from './atomicFile.js'

const recordedPageSchema = pageSchema.extend({
  /** The folder of the session that met the page, and the fingerprint of what the program's pages depended on then. */
  metIn: z.string(),
  fingerprint: z.string(),
})
const fileSchema = z.record(z.string(), z.object({ at: z.string(), pages: z.array(recordedPageSchema) }))

export type RecordedPage = z.output<typeof recordedPageSchema>

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
  record(account: string, page: RecordedPage): void {
    const others = (this.#accounts[account]?.pages ?? []).filter(({ cwd }) => cwd !== page.cwd)
    this.#save(account, [...others, page].slice(-maxPages), page.at)
  }

  /** A start in this folder has succeeded, so its page is no longer open. */
  forget(account: string, cwd: string): void {
    const pages = this.#accounts[account]?.pages ?? []
    const left = pages.filter((page) => page.cwd !== null && page.cwd !== cwd)
    if (left.length < pages.length) this.#save(account, left, new Date().toISOString())
  }

  /** For the pool; undefined for an account that never had a page. */
  of(account: string): HostPages | undefined {
    const known = this.#accounts[account]
    if (known === undefined) return undefined
    const open = known.pages.map(({ cwd, what, remedy, at, until }): OpenPage => ({
      ...{ cwd, what, remedy, at, until },
    }))
    return { host: this.#host, at: known.at, open }
  }

  /** Removes pages whose fingerprint has changed, and expired ones. Returns whether it removed any. */
  async removeAnswered(fingerprintOf: (account: string, cwd: string) => Promise<string>): Promise<boolean> {
    let hasChanged = false
    for (const [account, { pages }] of Object.entries(this.#accounts)) {
      const removed: RecordedPage[] = []
      for (const page of pages) {
        const isOver = Date.parse(page.until) <= Date.now()
        if (isOver || (await fingerprintOf(account, page.metIn)) !== page.fingerprint) removed.push(page)
      }
      if (removed.length === 0) continue
      hasChanged = true
      // Pages that were recorded meanwhile stay.
      const left = (this.#accounts[account]?.pages ?? []).filter((page) => !removed.includes(page))
      this.#save(account, left, new Date().toISOString())
    }
    return hasChanged
  }

  #save(account: string, pages: RecordedPage[], at: string): void {
    this.#accounts = { ...this.#accounts, [account]: { at, pages } }
    writeFileAtomic(this.#file, JSON.stringify(this.#accounts))
  }
}

/** A file that can't be read counts as empty: pages that are still open will be met again. */
const load = (file: string): z.output<typeof fileSchema> => readJson(file, fileSchema) ?? {}
