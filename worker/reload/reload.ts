/** Takes a changed `outpool.yaml` over while everything runs, or keeps the old configuration and says on one line why. */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { PollingLoop } from '../../activities/pollingLoop.js'
import type { Config } from '../../config/config.js'
import { ConfigError } from '../../config/errors.js'
import { loadConfig } from '../../config/load/load.js'
import { type ConfigInUse, readLastConfig } from '../../config/state/configInUse.js'
import { statFields } from '../../config/state/procStat.js'
import type { Home } from '../../config/state/home.js'
import { SharedDomainError } from '../../host/errors.js'
import { assertIndependent } from '../../host/identity/failureDomains.js'
import { log } from '../../host/log.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import { formatList } from '../../policy/formatList.js'
import { reconfigurationObstacle, type ReconfigurationObstacle } from '../../policy/pool/reconfiguration.js'
import { ConfigRejectedError } from '../errors.js'
import type { RunningWorker } from '../worker.js'
import { describeChanges } from './changes.js'
import { FileWatch } from './fileWatch.js'
import { messageOf } from '../../policy/errorFacts.js'

/** A person who has saved the file looks at the log next. */
const pollEvery = 1_000
const retryEvery = 10_000

export class ConfigReload {
  readonly #home: Home
  readonly #byContent: boolean
  readonly #worker: Pick<RunningWorker, 'reconfigure' | 'leases'>
  readonly #watch: FileWatch
  readonly #loop: PollingLoop
  #config: Config
  /** Why the newest text is not in use, or null. */
  #rejected: ConfigInUse['kept'] = null
  #failure: string | null = null
  #isTimingOld = false
  #triedAt = -Infinity

  /** `byContent`: only a text that a person trusts is taken over. */
  constructor(
    home: Home,
    { config, byContent }: { config: Config; byContent: boolean },
    worker: Pick<RunningWorker, 'reconfigure' | 'leases'>,
  ) {
    this.#home = home
    this.#byContent = byContent
    this.#config = config
    this.#worker = worker
    this.#watch = new FileWatch(config.file)
    this.#loop = new PollingLoop({
      run: () => this.#poll(),
      pauseAfter: () => pollEvery,
      failureText: `${config.file} could not be checked for changes`,
    })
  }

  start(): void {
    const before = readLastConfig(this.#home.dir)
    // Sessions that an earlier worker has watched keep the timing of that time.
    this.#isTimingOld = before !== null && before.timing !== timingDigest(this.#config)
    this.#record()
    this.#loop.start()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #poll(): Promise<void> {
    if (this.#isTimingOld) {
      await this.#worker.reconfigure(this.#config, { timingChanged: true })
      this.#isTimingOld = false
    }
    // A login, or the end of a turn, may have removed what kept a newer text from being used.
    const isRetryDue = this.#rejected !== null && performance.now() - this.#triedAt >= retryEvery
    // The first time in any case: the file may have changed since it was read.
    if (this.#watch.hasChanged() || isRetryDue || this.#triedAt === -Infinity) await this.#takeOver()
  }

  async #takeOver(): Promise<void> {
    this.#triedAt = performance.now()
    try {
      const next = loadConfig({ path: this.#config.file, byContent: this.#byContent })
      if (next.digest === this.#config.digest) this.#noteRejection(null)
      else await this.#use(next)
      this.#watch.take()
      this.#failure = null
    } catch (error) {
      if (error instanceof ConfigError) {
        this.#noteRejection({ digest: '', problem: oneLine(error) })
        this.#watch.take()
        return
      }
      // The engine does not answer, for example: tried again until it has worked, and said once.
      const failure = messageOf(error)
      if (failure !== this.#failure)
        log.warn(`the new ${this.#config.file} could not be passed on yet, and is tried again: ${failure}`)
      this.#failure = failure
    }
  }

  async #use(next: Config): Promise<void> {
    try {
      await assertIndependent(next)
      assertSameMetrics(this.#config, next)
      assertPossible(reconfigurationObstacle(poolOf(this.#config), poolOf(next), await this.#worker.leases()))
    } catch (error) {
      if (!(error instanceof SharedDomainError || error instanceof ConfigRejectedError)) throw error
      this.#noteRejection({ digest: next.digest, problem: error.message.replaceAll('\n', '; ') })
      return
    }
    const timingChanged = timingDigest(next) !== timingDigest(this.#config)
    await this.#worker.reconfigure(next, { timingChanged })
    const changes = describeChanges(this.#config, next)
    this.#config = next
    this.#rejected = null
    this.#record()
    log.info(`took over ${next.file}: ${changes ?? 'nothing that matters has changed'}`)
  }

  /** Null: the text in use is the newest again. */
  #noteRejection(why: { digest: string; problem: string } | null): void {
    if (why === null && this.#rejected === null) return
    const { file } = this.#config
    if (why === null) log.info(`${file} is again as it is in use`)
    else if (why.problem !== this.#rejected?.problem)
      log.warn(`${file} has changed, but the old configuration stays in use: ${why.problem}`)
    this.#rejected = why === null ? null : { ...why, at: new Date().toISOString() }
    this.#record()
  }

  #record(): void {
    const { file, digest } = this.#config
    const inUse: ConfigInUse = {
      ...{
        pid: process.pid,
        start: statFields(process.pid)?.[19] ?? null,
        file,
        byContent: this.#byContent,
        digest,
        timing: timingDigest(this.#config),
      },
      ...{ takenAt: new Date().toISOString(), kept: this.#rejected },
    }
    writeFileAtomic(this.#home.configInUse, JSON.stringify(inUse))
  }
}

const timingDigest = ({ timing }: Config): string =>
  createHash('sha256').update(JSON.stringify(timing)).digest('hex')

const poolOf = ({ pool, reserved }: Config) => ({ ...pool, reserved })

/** Throws ConfigRejectedError. Metrics are opened before the engine's library, which measures too. */
function assertSameMetrics(before: Config, next: Config): void {
  if (!isDeepStrictEqual(before.metrics, next.metrics))
    throw new ConfigRejectedError('metrics has changed, which needs a restart', 'Restart `outpool up`.')
}

/** Throws ConfigRejectedError. */
function assertPossible(obstacle: ReconfigurationObstacle | null): void {
  switch (obstacle?.kind) {
    case undefined:
      return
    case 'pool-name':
      throw new ConfigRejectedError('pool.name has changed, which needs a restart', 'Restart `outpool up`.')
    case 'reserved':
      throw new ConfigRejectedError(
        `${obstacle.account} would be the healer's, and sessions are still on it: ${formatList(obstacle.sessions)}`,
        `Drain it first: outpool accounts drain ${obstacle.account}`,
      )
    case 'config-dir':
      throw new ConfigRejectedError(
        `${obstacle.account} has another config dir, and sessions are still on it: ${formatList(obstacle.sessions)}`,
        'Give the new login another name, and drain the old one.',
      )
  }
}

function oneLine({ issues }: ConfigError): string {
  const [first] = issues
  if (first === undefined) return 'it cannot be used'
  const where = first.line === null ? '' : `line ${first.line}: `
  const more = issues.length === 1 ? '' : ` (and ${issues.length - 1} more; see outpool config check)`
  return `${where}${first.problem}${more}`
}
