/** Asks accounts for login and usage without spending budget: when the pool requests it, and by routine if no session reports. */
import type { AccountReading } from '../../policy/account/account.js'
import { elapsed } from '../../policy/instants.js'
import { accountAgent } from '../../host/identity/failureDomains.js'
import type { Host } from '../../host/host.js'
import { PollingLoop } from '../pollingLoop.js'
import { log } from '../../host/log.js'
import { measures } from '../../host/measures.js'

export class Prober {
  readonly #host: Host
  readonly #running = new Map<string, Promise<AccountReading>>()
  readonly #loop: PollingLoop

  constructor(host: Host) {
    this.#host = host
    this.#loop = new PollingLoop({
      run: (signal) => this.#probeStaleAccounts(signal),
      pauseAfter: () => host.config.timing.probeEvery / 4,
      failureText: 'accounts could not be probed',
    })
  }

  start(): void {
    this.#loop.start()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  /** One probe of an account at a time: callers that come during a probe share its result. */
  probe(account: string): Promise<AccountReading> {
    const running = this.#running.get(account)
    if (running) return running
    const probe = this.#probe(account).finally(() => this.#running.delete(account))
    this.#running.set(account, probe)
    return probe
  }

  async #probe(account: string): Promise<AccountReading> {
    const { quota } = this.#host
    const probe = await this.#ask(account)
    const before = budgetsOf(quota.read(account))
    quota.recordProbe(account, probe)
    const reading = quota.read(account)
    if (budgetsOf(reading) !== before) this.#recordReading(reading)
    return this.#host.reading(account)
  }

  async #ask(account: string): Promise<Omit<AccountReading, 'account'>> {
    let isRead = false
    try {
      const place = await this.#host.place({ kind: 'account', name: account })
      const command = await this.#host.command(accountAgent)
      const adapter = this.#host.adapter(accountAgent)
      const probe = await adapter.probe(place, command, () => new Date().toISOString())
      isRead = probe.login !== 'unknown'
      return probe
    } finally {
      measures.probe.record({ account, isRead })
    }
  }

  #recordReading({ account, windows, probedAt }: AccountReading): void {
    const at = probedAt ?? new Date().toISOString()
    const budgets = windows.map(({ name, used, resetsAt }) => ({ name, used, resetsAt }))
    const id = `account/${account}/read/${at}`
    this.#host.events.record({ id, at, kind: 'account-read', account, windows: budgets })
  }

  /** Keeps the readings of idle accounts fresh, so that a rescue finds proven ones without a probe. One account after the other. */
  async #probeStaleAccounts(signal: AbortSignal): Promise<void> {
    const { pool, timing } = this.#host.config
    for (const { name } of pool.accounts) {
      if (signal.aborted) return
      if (!this.#isStale(name, timing.probeEvery)) continue
      await this.probe(name).catch((error: unknown) =>
        log.warn({ err: error }, `${name} could not be probed`),
      )
    }
  }

  #isStale(account: string, probeEvery: number): boolean {
    const { windows, probedAt } = this.#host.quota.read(account)
    const seen = [...windows.map(({ readAt }) => readAt), ...(probedAt === null ? [] : [probedAt])]
      .sort()
      .at(-1)
    return seen === undefined || elapsed(Date.parse(seen), Date.now()) >= probeEvery
  }
}

/** What a person would see of the budgets: whole percents. */
const budgetsOf = ({ windows }: AccountReading): string =>
  JSON.stringify(windows.map(({ name, used }) => [name, Math.round(used * 100)]))
