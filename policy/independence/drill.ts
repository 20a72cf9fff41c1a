/** The drill: what it is told, what it finds, and the words that it says to its own session. Instants are ISO 8601 in UTC. */
import type { Timing } from '../account/account.js'
import type { Announcement } from '../notices/notice.js'

/** The single input of a `drill` workflow, from the command or from its schedule. */
export interface DrillStart {
  pool: string
  /** The host whose worker carries it out. */
  host: string
  agent: string
  model: string | null
  /** Milliseconds that it may take in all. */
  within: number
  timing: Timing
}

export interface DrillStep {
  name: string
  startedAt: string
  ms: number
  /** What was seen, in a few words. */
  found: string
  ok: boolean
}

export interface DrillReport {
  /** Of its workflow, `drill/<time>`. */
  id: string
  session: string
  startedAt: string
  endedAt: string
  ok: boolean
  /** Why it failed, in a line; null where it did not. */
  why: string | null
  steps: DrillStep[]
}

/** What the session is to come to. Without any substrate it has to park, and get up by itself. */
export type DrillStage = 'up' | 'fallback' | 'answer' | 'parked' | 'home'

/** What a session shows of itself, as far as a drill looks at it. */
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
    case 'home':
      return isUp(observation) && observation.account !== null
  }
}

/** A name of its own, which tells everybody what it is. */
export const drillSessionName = (startedAt: string): string =>
  `drill-${startedAt
    .slice(0, 19)
    .replace(/[^0-9T]/g, '')
    .replace('T', '-')}`

export const drillPrompts = {
  first:
    'This is a drill of outpool, which checks that sessions survive a limit. Use no tools. Answer with one word: ready',
  onFallback:
    'The drill goes on: every account counts as spent now. Use no tools. Answer with one word: here',
} as const

/** What a person hears of a drill that failed. */
export const drillNotice = ({ id, why, steps }: DrillReport): Announcement => ({
  ...{ key: id, kind: 'drill', title: 'the drill failed' },
  text: [`${why ?? ''}.`, ...steps.map(line), `All of it: ${id} in Temporal's Web UI.`].join('\n'),
})

/** Shown in the Web UI while it runs. */
export const drillPage = (steps: readonly DrillStep[]): string =>
  steps.map((step) => `- ${line(step)}`).join('\n')

const line = ({ name, ok, found, ms }: DrillStep): string =>
  `${ok ? 'ok' : 'FAILED'}: ${name} (${found}; ${Math.round(ms / 1000)} s)`

export function describeObservation({ phase, account, substrate, answered }: DrillObservation): string {
  const where = account ?? substrate
  return `${phase}${where === null ? '' : ` on ${where}`}${answered ? ', answered' : ''}`
}
