/** What all host-bound activities of a worker share: configuration, tmux, records and readings of this host. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { agentNamed } from '../agents/index.js'
import type { AgentAdapter } from '../agents/adapter/adapter.js'
import type { AgentCommand, Place } from '../agents/adapter/place.js'
import type { Config, EnvRefs, SubstrateConfig } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import { programEnvironment } from '../config/environment.js'
import { SecretError } from '../config/errors.js'
import { programFiles, useProblem } from '../config/load/namedFiles.js'
import { resolveEnv } from '../config/secrets/resolve.js'
import type { AccountReading } from '../policy/account/account.js'
import type { ConditionRules } from '../policy/account/conditions.js'
import { taskSessionName } from '../policy/ids.js'
import { isSamePlace, type PlaceRef } from '../policy/session/place.js'
import { AgentVersions } from './process/agentVersions.js'
import { hostSuspendClock } from './process/suspendClock.js'
import { Adoptions } from './state/adoptions.js'
import { AgentFeatures } from './state/agentFeatures.js'
import { readingToEngine } from './state/engineInstants.js'
import { EngineClock } from './state/engineClock.js'
import { KnownAccounts } from './state/knownAccounts.js'
import { EventStore } from './state/eventStore.js'
import { AccountEvents } from './state/accountEvents.js'
import { logEvent } from './log.js'
import { measures } from './measures.js'
import { OddFiles } from './state/oddFiles.js'
import { OpenPages } from './state/openPages.js'
import { QuotaStore } from './state/quotaStore.js'
import { SessionRecords } from './state/sessionRecords.js'
import { BackgroundWork } from './state/backgroundWork.js'
import { MoveLimiter } from './limits/moveLimiter.js'
import { StartLimiter } from './limits/startLimiter.js'
import { Spending } from './state/spending.js'
import { UsageRecords } from './state/usageRecords.js'
import { TrustStore } from '../config/state/trustStore.js'
import { Tmux } from './tmux/tmux.js'
import { SecretMissingError, UnknownPlaceError } from './errors.js'

export class Host {
  readonly home: Home
  readonly tmux: Tmux
  readonly oddFiles: OddFiles
  readonly trust: TrustStore
  readonly records: SessionRecords
  readonly adoptions: Adoptions
  readonly backgroundWork: BackgroundWork
  readonly quota: QuotaStore
  readonly usage: UsageRecords
  readonly openPages: OpenPages
  /** Sessions whose agent program could not, or must not, be run. A changed fingerprint means that it may run now. */
  readonly unrunnablePrograms = new Map<
    string,
    { fingerprint: string; currentFingerprint: () => Promise<string> }
  >()
  /** Agent programs that were launched since a look at their versions. */
  readonly launchedAgents = new Set<string>()
  readonly features: AgentFeatures
  readonly startLimiter = new StartLimiter()
  readonly moveLimiter: MoveLimiter
  readonly spending: Spending
  readonly events: EventStore
  readonly accountEvents: AccountEvents
  readonly clock = new EngineClock()
  /** How long this host has been suspended, or its clock was set forward, in ms; only differences count. */
  readonly suspendClock: () => number
  readonly #knownAccounts: KnownAccounts
  readonly #versions = new AgentVersions()
  #config: Config

  constructor(home: Home, config: Config, suspendClock = hostSuspendClock) {
    this.home = home
    this.#config = config
    this.#knownAccounts = new KnownAccounts(home)
    this.#knownAccounts.add(config)
    this.tmux = new Tmux(home.tmuxSocket, home.dir)
    this.oddFiles = new OddFiles(home)
    this.trust = new TrustStore(home)
    this.records = new SessionRecords(home, this.oddFiles)
    this.adoptions = new Adoptions(home, this.records)
    this.backgroundWork = new BackgroundWork(this.records)
    this.features = new AgentFeatures(home, (agent) => this.installedVersion(agent))
    this.events = new EventStore(
      home,
      () => this.config.events,
      (event) => {
        logEvent(event)
        measures.event.record(event)
      },
    )
    this.quota = new QuotaStore(home, (account) => this.accountEvents.review(account))
    this.accountEvents = new AccountEvents({
      events: this.events,
      rulesOf: (account) => conditionRules(this.config, account),
      reading: (account) => this.quota.read(account),
    })
    this.usage = new UsageRecords(home)
    this.openPages = new OpenPages(home)
    this.moveLimiter = new MoveLimiter({ atOnce: config.timing.maxConcurrentMoves })
    this.spending = new Spending(home, () => this.config, this.quota)
    this.suspendClock = suspendClock
  }

  /** As of the last `reconfigure`: a step that takes time reads it where it needs it. */
  get config(): Config {
    return this.#config
  }

  /** Takes over another configuration. Whatever has been launched runs on as it is. */
  reconfigure(config: Config): void {
    this.#config = config
    this.#knownAccounts.add(config)
    this.moveLimiter.resize(config.timing.maxConcurrentMoves)
  }

  /** What every program that is started on this host gets of the worker's environment. */
  programEnvironment(): Record<string, string> {
    return programEnvironment(this.config)
  }

  /** Why a file that the configuration names must not be used as it is now; null if it may. */
  fileProblem(file: string): string | null {
    return useProblem(file, this.config.file, this.config.byContent ? this.trust : null)
  }

  /** The same for a command: its program, and the script that it runs. */
  programProblem(run: readonly string[], cwd: string): string | null {
    const files = programFiles(run, cwd, dirname(this.config.file))
    return files.map((file) => this.fileProblem(file)).find((problem) => problem !== null) ?? null
  }

  adapter(agent: string): AgentAdapter {
    return agentNamed(agent)
  }

  /** The version that would be launched now; null if the configuration has no such agent, or it can't be run. */
  async installedVersion(agent: string): Promise<string | null> {
    const configured = this.config.agents[agent]
    if (configured === undefined) return null
    return this.#versions.of(agent, configured, this.programEnvironment(), this.home.dir)
  }

  /**
   * How to run the agent program, with secrets resolved. For a task's session this includes the environment of the task; an adopted
   * session keeps the arguments with which its person started it.
   */
  async command(agent: string, session: string | null = null): Promise<AgentCommand> {
    const { command, args, env } = this.config.agents[agent] ?? { command: agent, args: [], env: {} }
    const task = this.config.tasks.find(
      ({ name, kind }) => kind === 'agent' && taskSessionName(name) === session,
    )
    const adopted = session === null ? null : this.adoptions.startOf(session)
    return {
      command,
      args: adopted?.args ?? args,
      env: await resolveSecrets({ ...env, ...(task?.kind === 'agent' ? task.env : {}) }),
      // An adopted session keeps the environment in which its person started it.
      baseEnv: adopted?.env ?? this.programEnvironment(),
    }
  }

  /** The place with its config dir and environment, secrets resolved. Throws UnknownPlace. */
  async place(ref: PlaceRef): Promise<Place> {
    if (ref.kind === 'account') {
      const { pool, reserved } = this.config
      const account = [...pool.accounts, ...reserved].find(({ name }) => name === ref.name)
      if (!account) throw new UnknownPlaceError(ref.name)
      return { ...ref, configDir: account.configDir, env: await resolveSecrets(account.env) }
    }
    const substrate = this.substrate(ref.name)
    const configDir = join(this.home.substrates, substrate.name)
    mkdirSync(configDir, { recursive: true, mode: 0o700 })
    return { ...ref, configDir, env: await resolveSecrets(substrate.env) }
  }

  /**
   * The place for reading its files. No program may be started with it, because secrets are missing from its environment. Cheap
   * to call. Throws UnknownPlace.
   */
  readablePlace(ref: PlaceRef): Place {
    const place = this.knownPlace(ref)
    if (place === null) throw new UnknownPlaceError(ref.name)
    return place
  }

  /** Also of a place that the configuration no longer names; null if it never did. */
  knownPlace(ref: PlaceRef): Place | null {
    const configured = this.configuredPlace(ref)
    if (configured !== null) return configured
    const configDir =
      ref.kind === 'substrate'
        ? join(this.home.substrates, ref.name)
        : this.#knownAccounts.configDirOf(ref.name)
    return configDir === null || !existsSync(configDir) ? null : { ...ref, configDir, env: {} }
  }

  /** Null if the configuration no longer names the place; a process that was started earlier may still run there. */
  configuredPlace(ref: PlaceRef): Place | null {
    const { pool, reserved, substrates, reservedSubstrates } = this.config
    const group =
      ref.kind === 'substrate' ? [...substrates, ...reservedSubstrates] : [...pool.accounts, ...reserved]
    const named = group.find(({ name }) => name === ref.name)
    if (!named) return null
    const configDir = 'configDir' in named ? named.configDir : join(this.home.substrates, named.name)
    const literals = Object.entries(named.env).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as const] : [],
    )
    return { ...ref, configDir, env: Object.fromEntries(literals) }
  }

  /** Throws UnknownPlace. */
  substrate(name: string): SubstrateConfig {
    const { substrates, reservedSubstrates } = this.config
    const substrate = [...substrates, ...reservedSubstrates].find((one) => one.name === name)
    if (!substrate) throw new UnknownPlaceError(name)
    return substrate
  }

  /** The stored readings of everything that the pool leases. */
  readings(): AccountReading[] {
    const { pool, substrates } = this.config
    return [...pool.accounts, ...substrates].map(({ name }) => this.reading(name))
  }

  reading(name: string): AccountReading {
    const pages = this.openPages.of(name)
    return { ...this.quota.read(name), ...(pages === undefined ? {} : { pages }) }
  }

  /**
   * The places at which a person may have answered pages for the session's project: those where the session ran, newest first.
   * For a session that never ran, all places of the pool.
   */
  placesWithAnsweredPages(session: string, target: PlaceRef): Place[] {
    const before = this.records.places(session)
    return this.#otherPlaces(target, before.length === 0 ? this.#poolRefs() : before)
  }

  /** Changes as soon as a person may have answered a page that is open at this place for sessions in `cwd`. */
  pageFingerprint(agent: string, place: Place, cwd: string): Promise<string> {
    return this.adapter(agent).startPageFingerprint(place, cwd, this.#otherPlaces(place, this.#poolRefs()))
  }

  /** For reading their files. */
  #otherPlaces(target: PlaceRef, refs: readonly PlaceRef[]): Place[] {
    return refs.flatMap((ref) => {
      const place = isSamePlace(ref, target) ? null : this.configuredPlace(ref)
      return place === null ? [] : [place]
    })
  }

  /** `readings` in the engine's clock, for a workflow. */
  engineReadings(): AccountReading[] {
    return this.readings().map((reading) => readingToEngine(this.clock, reading))
  }

  /** The copy of the conversation that was written last, at any place: other places may hold older copies. */
  async newestTranscript(
    adapter: AgentAdapter,
    sessionId: string,
  ): Promise<{ place: Place; path: string } | null> {
    let newest: { place: Place; path: string; writtenAt: number } | null = null
    for (const place of this.allPlaces()) {
      const path = await adapter.findTranscript(place, sessionId)
      const writtenAt = path === null ? 0 : statSync(path).mtimeMs
      if (path !== null && writtenAt > (newest?.writtenAt ?? 0)) newest = { place, path, writtenAt }
    }
    return newest
  }

  #poolRefs(): PlaceRef[] {
    const { pool, substrates } = this.config
    return [
      ...pool.accounts.map(({ name }) => ({ kind: 'account' as const, name })),
      ...substrates.map(({ name }) => ({ kind: 'substrate' as const, name })),
    ]
  }

  /** Every place of this host that could hold a conversation, for reading files. */
  allPlaces(): Place[] {
    return this.#allRefs().map((ref) => this.readablePlace(ref))
  }

  #allRefs(): PlaceRef[] {
    const { pool, reserved, substrates, reservedSubstrates } = this.config
    return [
      ...[...pool.accounts, ...reserved].map(({ name }) => ({ kind: 'account' as const, name })),
      ...[...substrates, ...reservedSubstrates].map(({ name }) => ({ kind: 'substrate' as const, name })),
    ]
  }
}

/** Null for an account that the configuration does not name. */
function conditionRules(config: Config, account: string): ConditionRules | null {
  const { pool, reserved, substrates, reservedSubstrates, timing } = config
  const rules = { moveAt: pool.moveAt, wakeMargin: timing.wakeMargin }
  const inPool = pool.accounts.find(({ name }) => name === account)
  if (inPool) return { ...rules, role: 'pool', ceiling: inPool.ceiling }
  if (reserved.some(({ name }) => name === account)) return { ...rules, role: 'reserved', ceiling: 1 }
  const isSubstrate = [...substrates, ...reservedSubstrates].some(({ name }) => name === account)
  return isSubstrate ? { ...rules, role: 'substrate', ceiling: 1 } : null
}

/** A missing secret would be missing in a retry too, so the session takes another place instead. */
async function resolveSecrets(env: EnvRefs): Promise<Record<string, string>> {
  try {
    return await resolveEnv(env)
  } catch (error) {
    throw error instanceof SecretError ? new SecretMissingError(error.message) : error
  }
}
