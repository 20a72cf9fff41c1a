/** What each substrate of this host has cost in the current period, computed from the transcripts written there. */
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../config/state/readJson.js'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import { addCosts, budgetReading, costOf, periodStart } from '../../policy/account/spend.js'
import { writeFileAtomic } from './atomicFile.js'
import { KeyedQueue } from './keyedQueue.js'
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import type { QuotaStore } from './quotaStore.js'
import { log } from '../log.js'

const ledgerSchema = z.object({
  /** When the period of `usd` began. */
  period: z.string(),
  usd: z.number(),
  /** How far each file was read, and the answers in it that may still grow; the file that was read last comes last. */
  files: z.record(
    z.string(),
    z.object({ mark: z.number().int(), answers: z.array(z.object({ id: z.string(), usd: z.number() })) }),
  ),
})
type Ledger = z.output<typeof ledgerSchema>

/** Far more than are written at the same time. A forgotten file that grows again is counted from its beginning. */
const maxFiles = 4_000

export class Spending {
  readonly #home: Home
  readonly #config: () => Config
  readonly #quota: QuotaStore
  readonly #ledgers = new Map<string, Ledger>()
  readonly #queue = new KeyedQueue()

  constructor(home: Home, config: () => Config, quota: QuotaStore) {
    this.#home = home
    this.#config = config
    this.#quota = quota
  }

  /**
   * Counts what was added to the transcript since the last call, each answer once, even across restarts of the worker. Entries from
   * before `since` are copies from another conversation. Counts nothing without a budget. Never throws: entries that could not be
   * counted are counted with the next call.
   */
  count(substrate: string, adapter: AgentAdapter, transcript: string, since: string | null): Promise<void> {
    return this.#queue
      .run(substrate, () => this.#count(substrate, adapter, transcript, since))
      .catch((error: unknown) => log.error({ err: error }, `the cost of ${substrate} could not be counted`))
  }

  async #count(
    substrate: string,
    adapter: AgentAdapter,
    transcript: string,
    since: string | null,
  ): Promise<void> {
    const { substrates, reservedSubstrates, prices } = this.#config()
    const budget =
      [...substrates, ...reservedSubstrates].find(({ name }) => name === substrate)?.budget ?? null
    if (budget === null) return
    const now = new Date().toISOString()
    const period = periodStart(now, budget)
    const old = this.#ledger(substrate)
    const ledger: Ledger = { ...old, period, usd: old.period === period ? old.usd : 0 }
    const files = new Map(Object.entries(old.files))
    const marks = Object.fromEntries([...files].map(([file, { mark }]) => [file, mark]))
    const from = since !== null && since > period ? since : period
    for (const { file, mark, used } of await adapter.readTokenUsage(transcript, marks)) {
      const costs = used
        .filter(({ at }) => at >= from)
        .map((tokens) => ({ id: tokens.id, usd: costOf(tokens, prices) }))
      const { usd, counted } = addCosts(old.files[file]?.answers ?? [], costs)
      ledger.usd += usd
      files.delete(file)
      files.set(file, { mark, answers: counted })
    }
    ledger.files = Object.fromEntries([...files].slice(-maxFiles))
    this.#save(substrate, ledger)
    this.#quota.recordWindows(substrate, [budgetReading(ledger.usd, budget, now)])
  }

  #save(substrate: string, ledger: Ledger): void {
    this.#ledgers.set(substrate, ledger)
    writeFileAtomic(this.#file(substrate), JSON.stringify(ledger))
  }

  /** If the file can't be read, counting begins again at zero. */
  #ledger(substrate: string): Ledger {
    const known = this.#ledgers.get(substrate)
    if (known !== undefined) return known
    return readJson(this.#file(substrate), ledgerSchema) ?? { period: '', usd: 0, files: {} }
  }

  #file(substrate: string): string {
    return join(this.#home.quota, `${substrate}.spent.json`)
  }
}
