/** The simulator's drains: which seeds run, in what world, and what is printed when one breaks a law. */
import { describe, expect, it } from 'vitest'
import { profiles, type LoadProfile } from './population.js'
import { shrink } from './shrink.js'
import type { SimulationCase, Outcome } from './simulationCase.js'
import { simulate } from './simulate.js'

/** `OUTPOOL_DRAIN_SEED=drain-123` runs only that seed; `OUTPOOL_DRAIN_SEEDS=10000` runs more, as the nightly tests do. */
const only = process.env['OUTPOOL_DRAIN_SEED']
const howMany = Number(process.env['OUTPOOL_DRAIN_SEEDS'] ?? 40)

/** Only a hanging case takes so long. */
const timeout = 3_600_000

function seedsOf(prefix: string, part: number, parts: number): string[] {
  const all = Array.from({ length: howMany }, (_, index) => `${prefix}-${index}`)
  return all.filter((seed, index) => index % parts === part && (only === undefined || seed === only))
}

/**
 * The pool alone: many sessions on several accounts, nearly always near their limits, for longer than every
 * window lasts.
 */
const crowdedCase = (seed: string): SimulationCase => ({ seed, days: 10, accounts: 4, sessions: 12 })

export function drainAccounts(part: number, parts: number): void {
  const seeds = seedsOf('drain', part, parts)
  it(
    `laws 2, 4, 10: ten days of walls, resets and lost logins, part ${part + 1} of ${parts}`,
    { timeout },
    () => {
      const outcomes = seeds.map((seed) => assertLawful(crowdedCase(seed)))
      // A world in which nothing happens would pass too.
      if (seeds.length > 10) expect(average(outcomes, 'grants')).toBeGreaterThan(70)
    },
  )
}

/** Few accounts with substrates behind them, and calmer, so that a month costs no more than the ten days. */
const withSubstrates = (opening: LoadProfile, seed: string): SimulationCase => ({
  ...{ seed, profile: opening, days: 30, accounts: 2, substrates: 2, sessions: 5, load: 0.6 },
})

export function drainFallback(part: number, parts: number): void {
  const seeds = seedsOf('away', part, parts)
  describe(`laws 2, 4, 10: thirty days on accounts and substrates, part ${part + 1} of ${parts}`, () => {
    it.each(profiles)('%s', { timeout }, (opening) => {
      const mine = seeds.filter((seed) => profiles[Number(seed.split('-')[1]) % profiles.length] === opening)
      const outcomes = mine.map((seed) => assertLawful(withSubstrates(opening, seed)))
      if (mine.length <= 10) return
      expect(average(outcomes, 'fallbacks')).toBeGreaterThan(5)
      expect(average(outcomes, 'failbacks')).toBeGreaterThan(3)
    })
  })
}

/** The outcome of the case. If it breaks a law, the test fails with the shortest history that breaks one. */
function assertLawful(simulationCase: SimulationCase): Outcome {
  const outcome = simulate(simulationCase)
  if (outcome.violations.length === 0) return outcome
  const shortest = shrink(simulationCase)
  return expect.fail(
    [
      ...outcome.violations,
      '',
      `the shortest history that breaks it, ${shortest.description}:`,
      ...shortest.history,
      ...shortest.violations,
      '',
      `to see it again: OUTPOOL_DRAIN_SEED=${simulationCase.seed} npx vitest run --project policy test/policy/drain`,
    ].join('\n'),
  )
}

const average = (outcomes: readonly Outcome[], what: 'grants' | 'fallbacks' | 'failbacks'): number =>
  outcomes.reduce((sum, outcome) => sum + outcome[what], 0) / outcomes.length
