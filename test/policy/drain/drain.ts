/** The seeds of the drain test, in parts, so that they run beside each other. */
import { expect } from 'vitest'
import { simulate } from './simulate.js'

const seedsInAll = 1000

/** `OUTPOOL_DRAIN_SEED=drain-123` runs that one alone; `OUTPOOL_DRAIN_SEEDS=5000` runs more. */
export function seedsOf(part: number, parts: number): string[] {
  const one = process.env['OUTPOOL_DRAIN_SEED']
  if (one !== undefined) return part === 0 ? [one] : []
  const count = Number(process.env['OUTPOOL_DRAIN_SEEDS'] ?? seedsInAll)
  return Array.from({ length: count }, (_, index) => `drain-${index}`).filter(
    (_, index) => index % parts === part,
  )
}

export function drain(seeds: readonly string[]): void {
  let grants = 0
  for (const seed of seeds) {
    const outcome = simulate(seed)
    grants += outcome.grants
    if (outcome.violations.length > 0)
      expect.fail(
        `${outcome.violations.join('\n')}\n\nto see it again: OUTPOOL_DRAIN_SEED=${seed} npx vitest run --project policy`,
      )
  }
  // A world in which nothing happens would pass too.
  if (seeds.length > 10) expect(grants / seeds.length).toBeGreaterThan(100)
}
