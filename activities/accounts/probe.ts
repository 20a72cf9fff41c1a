/** Asks accounts for their login and usage, without spending budget: on the pool's demand, and by routine where nobody reports. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AccountReading } from '../../policy/account/account.js'
import { accountAgent } from '../../host/identity/failureDomains.js'
import type { Host } from '../../host/host.js'

export class Prober {
  readonly #host: Host
  readonly #running = new Map<string, Promise<AccountReading>>()
  readonly #stopped = new AbortController()
  #routine: Promise<void> | null = null

  constructor(host: Host) {
    this.#host = host
  }

  start(): void {
    this.#routine = this.#loop()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#routine
  }

  /** One probe of an account at a time: who asks meanwhile shares its answer. */
  probe(account: string): Promise<AccountReading> {
    const running = this.#running.get(account)
    if (running) return running
    const probe = this.#probe(account).finally(() => this.#running.delete(account))
    this.#running.set(account, probe)
    return probe
  }

  async #probe(account: string): Promise<AccountReading> {
    const { quota } = this.#host
    const place = await this.#host.place({ kind: 'account', name: account })
    const command = await this.#host.command(accountAgent)
    const probe = await this.#host.adapter(accountAgent).probe(place, command, () => new Date().toISOString())
    quota.recordProbe(account, probe)
    return this.#host.reading(account)
  }

  /** Keeps idle accounts known, so that a rescue finds proven ones without having to ask. One account after the other. */
  async #loop(): Promise<void> {
    const { signal } = this.#stopped
    const { pool, timing } = this.#host.config
    while (!signal.aborted) {
      for (const { name } of pool.accounts) {
        if (!this.#stopped.signal.aborted && this.#isStale(name, timing.probeEvery)) {
          await this.probe(name).catch((error: unknown) =>
            console.error(
              `outpool: ${name} could not be asked: ${error instanceof Error ? error.message : String(error)}`,
            ),
          )
        }
      }
      await delay(timing.probeEvery / 4, undefined, { signal }).catch(() => undefined)
    }
  }

  #isStale(account: string, probeEvery: number): boolean {
    const { windows, probedAt } = this.#host.quota.read(account)
    const seen = [...windows.map(({ readAt }) => readAt), ...(probedAt === null ? [] : [probedAt])]
      .sort()
      .at(-1)
    return seen === undefined || Date.now() - Date.parse(seen) >= probeEvery
  }
}
