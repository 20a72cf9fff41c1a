/**
 * Reduces a world that breaks a law to as little of it as still breaks one. The cuts and their order are
 * always the same.
 */
import { eventKinds } from './population.js'
import type { SimulationCase, Outcome } from './simulationCase.js'
import { simulate, startOfWorld } from './simulate.js'
import { hour } from './spans.js'

export interface ShrunkCase {
  history: string[]
  violations: string[]
  /** What was left out. */
  description: string
}

export function shrink(simulationCase: SimulationCase): ShrunkCase {
  let best = { what: simulationCase, outcome: simulate(simulationCase) }
  /** Keeps the cut if a law is still broken and less happens before. */
  const cut = (change: Partial<SimulationCase>): boolean => {
    const smaller = { ...best.what, ...change }
    const outcome = simulate(smaller)
    if (outcome.violations.length === 0 || outcome.history.length > best.outcome.history.length) return false
    best = { what: smaller, outcome }
    return true
  }
  const spare = (name: string): void => {
    const { excluded: without = [] } = best.what
    if (!without.includes(name)) cut({ excluded: [...without, name] })
  }

  const named = (prefix: string, count = 0): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`)
  const sessions = Array.from({ length: simulationCase.sessions }, (_, index) => `s${index + 1}`)
  // Twice: what is needed at first may not be needed once others are gone.
  for (let round = 0; round < 2; round++) {
    startLater(cut, best.outcome)
    for (const name of [...sessions, ...named('key', simulationCase.substrates), ...eventKinds]) spare(name)
  }
  startLater(cut, best.outcome)
  const { after = 0, excluded: without = [] } = best.what
  return {
    history: best.outcome.history,
    violations: best.outcome.violations,
    description: `begun after ${after / hour} h, without ${[...new Set(without)].join(', ') || 'any cut'}`,
  }
}

/** Most of what came before a violation has nothing to do with it. */
function startLater(cut: (change: Partial<SimulationCase>) => boolean, { violations }: Outcome): void {
  const broken = Date.parse(violations[0]!.split(' ')[0]!)
  for (const before of [1, 2, 4, 8, 16, 32, 64, 128, 256].map((hours) => hours * hour)) {
    const after = Math.floor((broken - before - startOfWorld) / hour) * hour
    if (after > 0 && cut({ after })) return
  }
}
