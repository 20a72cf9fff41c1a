/** Law 1 as a table: each thing that the healer needs beside each failure that it heals, what they share, and whether that is accepted. */
import { type FailureDomain, type SharedDomain, acceptedOverlaps, sharedDomains } from './failureDomains.js'

/** Something that can fail, together with everything that depends on it. */
interface Resource {
  kind: 'account' | 'gateway' | 'organisation' | 'host' | 'process' | 'program'
  name: string
}

interface Dependency {
  name: string
  /** What it is on this host, in a few words. */
  what: string
  on: Resource[]
  /** The need itself, if it can be what fails: then it shares nothing with another. */
  own: Resource | null
}

interface HealedFailure {
  name: string
  what: string
  of: Resource[]
}

export interface Cell {
  need: string
  failure: string
  /** What they share, such as `account max-1`. */
  shares: string[]
  /** A shared account is refused; anything else is accepted. */
  verdict: 'apart' | 'accepted' | 'refused'
  /** Why it is accepted or refused; null if nothing is shared. */
  why: string | null
}

export interface HealerMap {
  needs: Dependency[]
  failures: HealedFailure[]
  /** Need by need, in the order of the failures. */
  cells: Cell[]
}

/** The set-up of this host, as far as the table needs it. */
export interface Setup {
  host: string
  engine: { what: string; database: string; isHere: boolean; isEmbedded: boolean }
  home: string
  healer: FailureDomain[]
  pool: FailureDomain[]
  /** Programs of agents by their names. */
  agents: Record<string, string>
}

export function healerMap(setup: Setup): HealerMap {
  const { healer, pool } = setup
  const accounts = pool.filter((domain) => !isSubstrate(domain))
  const overlaps = [...overlapsOf(healer, pool), ...overlapsOf(pool.filter(isSubstrate), accounts)]
  const needs = dependenciesOf(setup, overlaps)
  const failures = failuresOf(setup)
  const cells = needs.flatMap((need) => failures.map((failure) => cellOf(need, failure)))
  return { needs, failures, cells }
}

type Overlap = SharedDomain & { isRefused: boolean }

const overlapsOf = (ours: readonly FailureDomain[], theirs: readonly FailureDomain[]): Overlap[] => [
  ...sharedDomains(ours, theirs).map((one) => ({ ...one, isRefused: true })),
  ...acceptedOverlaps(ours, theirs)
    .filter(({ by }) => by === 'organisation')
    .map((one) => ({ ...one, isRefused: false })),
]

const resource = (kind: Resource['kind'], name: string): Resource => ({ kind, name })
const engineProcess = resource('process', 'engine')
const workerProcess = resource('process', 'worker')
const tmuxProcess = resource('process', 'tmux')

function dependenciesOf(setup: Setup, overlaps: readonly Overlap[]): Dependency[] {
  const { engine, home, healer, pool } = setup
  const host = resource('host', setup.host)
  const engineHost = engine.isHere ? [host] : []
  const need = (name: string, what: string, on: Resource[], own: Resource | null = null): Dependency => ({
    ...{ name, what, on: own === null ? on : [own, ...on], own },
  })
  const substrates = pool.filter(isSubstrate)
  const gateways = new Set([...healer, ...substrates].flatMap(({ gateway }) => gateway ?? []))
  return [
    need('engine', engine.what, engineHost, engineProcess),
    need('database', engine.database, engineHost),
    need('disk', home, [host]),
    need('worker', `on ${setup.host}`, [host], workerProcess),
    need('tmux', "Outpool's own server", [host], tmuxProcess),
    ...Object.entries(setup.agents).map(([name, command]) =>
      need(`agent ${name}`, command, [host], resource('program', name)),
    ),
    ...[...healer, ...substrates].map((domain) =>
      need(
        `${domain.what} ${domain.name}`,
        addressOf(domain),
        resourcesOf(domain, setup.host, overlaps),
        accountOf(domain),
      ),
    ),
    ...[...gateways].map((address) =>
      need('gateway', address, isLocal(address) ? [host] : [], resource('gateway', address)),
    ),
    need('clock', 'of this host', [host]),
  ]
}

const isSubstrate = ({ what }: FailureDomain): boolean => what === 'substrate'
const isLocal = (gateway: string): boolean => /^\w+:\/\/localhost(:|\/|$)/.test(gateway)
const accountOf = ({ name }: Pick<FailureDomain, 'name'>): Resource => resource('account', name)
const addressOf = ({ gateway }: FailureDomain): string =>
  gateway === null ? "at the provider's own address" : `through ${gateway}`

/** What a login depends on beside itself: also the account with which it is one login, if there is one. */
function resourcesOf(
  { name, gateway }: FailureDomain,
  host: string,
  overlaps: readonly Overlap[],
): Resource[] {
  const found = overlaps.filter(({ healer }) => healer === name)
  return [
    ...unique(found.map(({ pool, isRefused }) => resource(isRefused ? 'account' : 'organisation', pool))),
    ...(gateway === null ? [] : [resource('gateway', gateway)]),
    resource('host', host),
  ]
}

function failuresOf({ host, pool, agents }: Setup): HealedFailure[] {
  const drawnOn = (domains: readonly FailureDomain[]): Resource[] =>
    unique(
      domains.flatMap((domain) => [
        accountOf(domain),
        resource('organisation', domain.name),
        ...(domain.gateway === null ? [] : [resource('gateway', domain.gateway)]),
      ]),
    )
  const programs = Object.keys(agents).map((name) => resource('program', name))
  const substrates = pool.filter(isSubstrate)
  const accounts = pool.filter((domain) => !isSubstrate(domain))
  return [
    { name: 'account', what: 'an account is spent or logged out', of: drawnOn(accounts) },
    { name: 'substrate', what: 'a substrate is spent', of: drawnOn(substrates) },
    { name: 'agent', what: 'an agent crashes or hangs', of: programs },
    { name: 'pane', what: 'a pane or the tmux server is gone', of: [tmuxProcess] },
    { name: 'worker', what: 'the worker dies', of: [workerProcess] },
    { name: 'engine', what: 'the engine dies', of: [engineProcess] },
    { name: 'host', what: 'the host restarts or sleeps', of: [resource('host', host)] },
  ]
}

const unique = (resources: readonly Resource[]): Resource[] =>
  resources.filter((one, at) => resources.findIndex((other) => isSame(one, other)) === at)

const isSame = (a: Resource, b: Resource): boolean => a.kind === b.kind && a.name === b.name

const reasons: Record<Resource['kind'], string> = {
  account: 'an account: what spends one spends both',
  gateway: 'one gateway, for which each side has its own login',
  organisation: 'seats of one organisation have budgets of their own',
  host: 'one host: what is lost with it is lost for the sessions too',
  process: 'started again, with all that it knew in the database and the panes',
  program: 'one program: its version is yours to pin, and a rescue asks it nothing',
}
const itself = 'itself: the next one takes its place, and a session that none can take is parked'

function cellOf(need: Dependency, failure: HealedFailure): Cell {
  const shared = need.on.filter((one) => failure.of.some((other) => isSame(one, other)))
  const foreign = shared.filter(
    (one) => one.kind !== 'account' || need.own === null || !isSame(one, need.own),
  )
  const isRefused = foreign.some(({ kind }) => kind === 'account')
  const counted = isRefused ? foreign.filter(({ kind }) => kind === 'account') : foreign
  const why = [...new Set(counted.map(({ kind }) => reasons[kind]))]
  return {
    need: need.name,
    failure: failure.name,
    shares: shared.map(({ kind, name }) => `${kind} ${name}`),
    verdict: shared.length === 0 ? 'apart' : isRefused ? 'refused' : 'accepted',
    why: shared.length === 0 ? null : why.length === 0 ? itself : why.join('; '),
  }
}
