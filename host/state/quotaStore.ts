/** The readings of this host's accounts: windows, walls and login. Kept across restarts. */
import { join } from 'node:path'
import { readJson } from '../../config/state/readJson.js'
import {
  type AccountReading,
  type Login,
  emptyReading,
  type Wall,
  type Window,
} from '../../policy/account/account.js'
import { settledReading } from '../../policy/account/settledReading.js'
import { mergeWindows } from '../../policy/account/windows.js'
import { pruneWalls, mergeWall } from '../../policy/account/walls.js'
import type { Home } from '../../config/state/home.js'
import { quotaSchema } from '../../config/state/liveFile.js'
import { writeFileAtomic } from './atomicFile.js'

export class QuotaStore {
  readonly #home: Home
  readonly #known = new Map<string, AccountReading>()
  readonly #onChange: (account: string) => void

  /** `onChange` is called after each change of an account's reading. */
  constructor(home: Home, onChange: (account: string) => void = () => undefined) {
    this.#home = home
    this.#onChange = onChange
  }

  read(account: string): AccountReading {
    const known = settledReading(this.#known.get(account) ?? this.#load(account), Date.now())
    this.#known.set(account, known)
    return known
  }

  recordWindows(account: string, windows: Window[]): void {
    const old = this.read(account)
    const merged = mergeWindows(old.windows, windows)
    this.#save({ ...old, windows: merged, walls: pruneWalls(old.walls, merged, Date.now()) })
  }

  recordWall(account: string, wall: Wall): void {
    const old = this.read(account)
    this.#save({ ...old, walls: mergeWall(old.walls, wall, old.windows) })
  }

  recordLogin(account: string, login: Login, at: string): void {
    const old = this.read(account)
    if (old.loginAt === null || old.loginAt <= at) this.#save({ ...old, login, loginAt: at })
  }

  recordIdentity(account: string, identity: string | null): void {
    const old = this.read(account)
    if (identity !== null && identity !== old.identity) this.#save({ ...old, identity })
  }

  recordProbe(account: string, probe: Omit<AccountReading, 'account' | 'walls'>): void {
    this.recordWindows(account, probe.windows)
    if (probe.login !== 'unknown' && probe.loginAt) this.recordLogin(account, probe.login, probe.loginAt)
    this.recordIdentity(account, probe.identity)
    this.#save({ ...this.read(account), probedAt: probe.probedAt })
  }

  #save(reading: AccountReading): void {
    const old = this.#known.get(reading.account)
    this.#known.set(reading.account, reading)
    const content = JSON.stringify(reading)
    if (old && JSON.stringify(old) === content) return
    writeFileAtomic(this.#file(reading.account), content)
    this.#onChange(reading.account)
  }

  /** A file that cannot be read counts as missing: new readings will come. */
  #load(account: string): AccountReading {
    return readJson(this.#file(account), quotaSchema) ?? emptyReading(account)
  }

  #file(account: string): string {
    return join(this.#home.quota, `${account}.json`)
  }
}
