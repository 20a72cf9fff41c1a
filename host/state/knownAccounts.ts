/**
 * The config dirs of all accounts that were ever configured on this host. A session that runs on an account whose line was removed
 * from the configuration is still watched there, and its conversation is still found.
 */
import { z } from 'zod'
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { readJson } from '../../config/state/readJson.js'
import { writeFileAtomic } from './atomicFile.js'

const accountsSchema = z.array(z.object({ name: z.string(), configDir: z.string() }))
type KnownAccount = z.output<typeof accountsSchema>[number]

/** Far more than a person has; the oldest are forgotten first. */
const maxAccounts = 500

export class KnownAccounts {
  readonly #file: string
  #accounts: readonly KnownAccount[]

  constructor(home: Home) {
    this.#file = home.knownAccounts
    this.#accounts = readJson(this.#file, accountsSchema) ?? []
  }

  /** Adds the accounts of this configuration; one that is known under another config dir gets the new one. */
  add({ pool, reserved }: Pick<Config, 'pool' | 'reserved'>): void {
    const configured = [...pool.accounts, ...reserved].map(({ name, configDir }) => ({ name, configDir }))
    const others = this.#accounts.filter(({ name }) => configured.every((account) => account.name !== name))
    const accounts = [...others, ...configured].slice(-maxAccounts)
    if (JSON.stringify(accounts) === JSON.stringify(this.#accounts)) return
    this.#accounts = accounts
    writeFileAtomic(this.#file, JSON.stringify(accounts))
  }

  /** Null if no account of this name was ever configured. */
  configDirOf(account: string): string | null {
    return this.#accounts.find(({ name }) => name === account)?.configDir ?? null
  }
}
