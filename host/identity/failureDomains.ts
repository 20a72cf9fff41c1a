/** Law 1 on this host: compares identities, real paths, gateways and secrets, as far as they can be read now. */
import type { LoginTraces } from '../../agents/adapter/examiner.js'
import { examinerOf } from '../../agents/index.js'
import type { Config, EnvRefs, EnvValue } from '../../config/config.js'
import { secretFingerprint, secretSource, placeEnv } from '../../config/secrets/credentials.js'
import { realStore } from '../../config/validate/realStore.js'
import { resolveValue } from '../../config/secrets/resolve.js'
import { isLoginVariable, normalizeGateway } from '../../policy/independence/envKinds.js'
import { type FailureDomain, emptyDomain, sharedDomains } from '../../policy/independence/failureDomains.js'
import { SharedDomainError } from '../errors.js'
import { messageOf } from '../../policy/errorFacts.js'

/** The agent program to which the accounts' logins belong. */
export const accountAgent = 'claude-code'

export interface HostDomains {
  /** Reserved accounts and substrates, and logins in the environment of wake-ups. */
  healer: FailureDomain[]
  /** Accounts and substrates of the pool, and logins in the environment of tasks. */
  pool: FailureDomain[]
  /** What could not be read, one line each. It proves neither overlap nor independence. */
  unread: string[]
}

/**
 * Throws SharedDomain with every overlap of healer and pool, one line each. Called right before anything of the healer is
 * started, because a login may have changed since the worker started.
 */
export async function assertIndependent(config: Config): Promise<void> {
  const { healer, pool } = await readDomains(config)
  const shared = sharedDomains(healer, pool)
  if (shared.length > 0) throw new SharedDomainError(shared.map(({ message }) => message).join('\n'))
}

/** Reads every login that the configuration names. Starts no agent, and makes no request to a provider. */
export async function readDomains(config: Config): Promise<HostDomains> {
  const reading = new DomainReader(config)
  const read = (parts: readonly DomainSource[]) => Promise.all(parts.map((part) => reading.domainOf(part)))
  const { pool, reserved, substrates, reservedSubstrates, services, tasks } = config
  const wakeUps = services.map(({ name, wakeUp }) => ({ name, env: wakeUp?.env ?? {} }))
  const work = tasks.map((task) => ({ name: task.name, env: task.kind === 'imap' ? {} : task.env }))
  const [healer, ofPool] = await Promise.all([
    read([
      ...sourcesOf(reserved, 'reserved account'),
      ...sourcesOf(reservedSubstrates, 'reserved substrate'),
      ...additionsOf(wakeUps, 'wake-up of service'),
    ]),
    read([
      ...sourcesOf(pool.accounts, 'pool account'),
      ...sourcesOf(substrates, 'substrate'),
      ...additionsOf(work, 'task'),
    ]),
  ])
  return { healer, pool: ofPool, unread: reading.unread }
}

/** What a wake-up or a task adds to the login that it runs with: only variables that are logins themselves count. */
const additionsOf = (list: readonly { name: string; env: EnvRefs }[], what: string): DomainSource[] =>
  list
    .map(({ name, env }) => ({
      ...{ name, what, agent: accountAgent, configDir: null, isAddition: true },
      env: Object.fromEntries(Object.entries(env).filter(([variable]) => isLoginVariable(variable))),
    }))
    .filter(({ env }) => Object.keys(env).length > 0)

interface DomainSource {
  name: string
  what: string
  agent: string
  /** Null for a substrate. */
  configDir: string | null
  env: EnvRefs
  isAddition: boolean
}

const sourcesOf = (
  list: readonly { name: string; env: EnvRefs; agent?: string; configDir?: string }[],
  what: string,
): DomainSource[] =>
  list.map(({ name, env, agent = accountAgent, configDir = null }) => ({
    name,
    what,
    agent,
    configDir,
    env,
    isAddition: false,
  }))

/** Reads all domains once. A secret that several places use is resolved once. */
class DomainReader {
  readonly unread: string[] = []
  readonly #config: Config
  readonly #fetched = new Map<string, Promise<string | null>>()

  constructor(config: Config) {
    this.#config = config
  }

  async domainOf(part: DomainSource): Promise<FailureDomain> {
    const { name, what, agent, configDir, isAddition } = part
    const agentEnv = isAddition ? {} : (this.#config.agents[agent]?.env ?? {})
    const env = await this.#resolve(name, { ...agentEnv, ...part.env })
    const { credentials, gateway } = placeEnv(part.env, agentEnv)
    const { keys, stores, ...login } = await this.#tracesOf(part, env)
    const envKeys = credentials.flatMap(({ variable }) => {
      const secret = env[variable]
      return secret === undefined ? [] : [secretFingerprint(variable, secret)]
    })
    const settingKeys = Object.entries(keys).map(([setting, secret]) => ({
      ...secretFingerprint(setting, secret),
      login: true,
    }))
    return {
      ...emptyDomain(name, what),
      ...login,
      stores: stores.flatMap((path) => realStore(path) ?? []),
      credentials: credentials.flatMap(({ value }) => secretSource(value) ?? []),
      keys: [...envKeys, ...settingKeys],
      gateway: gateway === null ? null : normalizeGateway(env[gateway.variable] ?? ''),
      keyless: configDir === null && !isAddition && credentials.length === 0,
    }
  }

  async #resolve(place: string, env: EnvRefs): Promise<Record<string, string>> {
    const had = Object.entries(env).map(async ([variable, value]) => {
      const secret = await this.#fetch(place, variable, value)
      return secret === null || secret === '' ? [] : [[variable, secret] as const]
    })
    return Object.fromEntries((await Promise.all(had)).flat())
  }

  /** Null for a missing secret, which is reported when its place is used. */
  #fetch(place: string, variable: string, value: EnvValue): Promise<string | null> {
    const written = JSON.stringify(value)
    const known = this.#fetched.get(written)
    if (known !== undefined) return known
    const secret = resolveValue(variable, value).catch((error: unknown) => this.#note(place, error))
    this.#fetched.set(written, secret)
    return secret
  }

  async #tracesOf(
    { name, agent, configDir }: DomainSource,
    env: Record<string, string>,
  ): Promise<LoginTraces> {
    const bare = { identity: null, email: null, organisation: null, stores: [], keys: {} }
    if (configDir === null) return bare
    const place = { kind: 'account' as const, name, configDir, env }
    const traces = await examinerOf(agent)
      ?.loginTraces(place, { command: agent, args: [], env: {} })
      .catch((error: unknown) => this.#note(name, error))
    return traces ?? { ...bare, stores: [configDir] }
  }

  #note(place: string, error: unknown): null {
    this.unread.push(`${place}: ${messageOf(error)}`)
    return null
  }
}
