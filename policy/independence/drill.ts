/** The drill: its input, its report, and when its session has reached a stage. Instants are ISO 8601 in UTC. */
import type { Timing } from '../account/account.js'

/** The single input of a `drill` workflow, from the command or from its schedule. */
export interface DrillStart {
  pool: string
  /** The host whose worker carries out the drill. */
  host: string
  agent: string
  model: string | null
  /** Milliseconds that the whole drill may take. */
  timeout: number
  timing: Timing
}

export interface DrillStep {
  name: string
  startedAt: string
  ms: number
  /** What was observed, in a few words. */
  found: string
  ok: boolean
}

export interface DrillReport {
  /** The id of its workflow, `drill/<time>`. */
  id: string
  session: string
  startedAt: string
  endedAt: string
  ok: boolean
  /** Why it failed, in a line, or null. */
  why: string | null
  steps: DrillStep[]
}

/** What the session has to reach, one after the other. Without any substrate it has to park, and start again by itself. */
export type DrillStage = 'up' | 'fallback' | 'answer' | 'parked' | 'failback'

/** What a drill observes of its session. */
export interface DrillObservation {
  phase: string
  account: string | null
  substrate: string | null
  /** Whether its agent has answered since the step began. */
  answered: boolean
}

const isUp = ({ phase }: DrillObservation): boolean => phase === 'working' || phase === 'idle'

export function isReached(stage: DrillStage, observation: DrillObservation): boolean {
  switch (stage) {
    case 'up':
      return isUp(observation) && observation.answered
    case 'fallback':
      return isUp(observation) && observation.substrate !== null
    case 'answer':
      return isUp(observation) && observation.substrate !== null && observation.answered
    case 'parked':
      return observation.phase === 'parked'
    case 'failback':
      return isUp(observation) && observation.account !== null
  }
}

/** A name that shows what the session is for. */
export const drillSessionName = (startedAt: string): string =>
  `drill-${startedAt
    .slice(0, 19)
    .replace(/[^0-9T]/g, '')
    .replace('T', '-')}`
