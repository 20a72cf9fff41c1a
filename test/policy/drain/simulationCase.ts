/**
 * The input and output of the simulator, a session in it, and what its host reports about accounts and
 * substrates.
 */
import type { AccountReading } from '../../../policy/account/account.js'
import { withCooldown } from '../../../policy/account/cooldown.js'
import { mergeWall } from '../../../policy/account/walls.js'
import type { PoolState } from '../../../policy/pool/transitions.js'
import type { ReportedWindow, WorldOptions } from './population.js'
import type { ReportedWall, World } from './world.js'

/** What is simulated: a world, and the part of its time in which sessions exist. */
export interface SimulationCase extends Omit<WorldOptions, 'start'> {
  /** The sessions start this long after the world does. Default 0. */
  after?: number
}

export interface Outcome {
  violations: string[]
  /** What happened, in order. */
  history: string[]
  events: number
  grants: number
  probes: number
  refusals: number
  longestNeglect: number
  fallbacks: number
  failbacks: number
  /** The final state, to inspect when a seed fails. */
  pool: PoolState
}

export type SimulatedSession = {
  name: string
  model: string
  fallback: string[] | null
  requests: number
  fence: number
  isCalled: boolean
} & (
  | { at: 'nowhere' }
  | { at: 'starting'; account: string; upAt: number }
  | { at: 'running'; account: string; turnEndsAt: number; stayUntil: string | null }
)

export const reading = (account: string, windows: ReportedWindow[]): AccountReading => ({
  account,
  windows,
  walls: [],
  login: 'unknown',
  loginAt: null,
  identity: null,
  probedAt: null,
})

/** What the host knows of each substrate's refusals; a refusal that names no end is given one. */
export class SubstrateRefusals {
  private readonly world: World
  private readonly known = new Map<string, ReportedWall[]>()

  constructor(world: World) {
    this.world = world
  }

  observed(place: string, reported: ReportedWall): ReportedWall {
    const substrate = this.world.substrate(place)
    if (substrate === undefined) return reported
    const known = this.known.get(place) ?? []
    const wall = { ...reported, resetsAt: withCooldown(reported, known, substrate.cooldown).resetsAt }
    this.known.set(place, mergeWall(known, wall, []))
    return wall
  }
}
