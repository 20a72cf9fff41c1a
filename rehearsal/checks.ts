/** What was found out about each expectation during one rehearsal. */
import type { Expectation } from '../agents/adapter/expectation.js'
import type { Outcome, RehearsalResult } from '../config/state/rehearsals.js'
import { messageOf } from '../policy/errorFacts.js'

/** Thrown when the program does something else than what is expected of it; says what was seen instead. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected'
}

/** Throws Unexpected. */
export function expectThat(holds: boolean, insteadOfIt: string): asserts holds {
  if (!holds) throw new Unexpected(insteadOfIt)
}

/** A part of the rehearsal: what it covers, in one or more agents of its own. */
export interface Scene<Context> {
  name: string
  covers: readonly string[]
  run(context: Context, checks: Checks): Promise<void>
}

export class Checks {
  readonly #outcomes = new Map<string, { outcome: Outcome; why: string | null }>()

  /** The expectation held if `check` returns, and did not if it throws. */
  async holds(name: string, check: () => unknown): Promise<boolean> {
    try {
      await check()
      this.#outcomes.set(name, { outcome: 'held', why: null })
      return true
    } catch (error) {
      this.#outcomes.set(name, { outcome: 'broken', why: messageOf(error) })
      return false
    }
  }

  /** Those of a scene that ended early could not be checked. */
  leaveUnchecked(names: readonly string[], why: string): void {
    for (const name of names)
      if (!this.#outcomes.has(name)) this.#outcomes.set(name, { outcome: 'unchecked', why })
  }

  /** Whether all of these were checked, and held. */
  haveHeld(names: readonly string[]): boolean {
    return names.every((name) => this.#outcomes.get(name)?.outcome === 'held')
  }

  /** Takes over another try of the same checks: what held in one of them holds. */
  add(again: Checks): void {
    for (const [name, found] of again.#outcomes)
      if (this.#outcomes.get(name)?.outcome !== 'held') this.#outcomes.set(name, found)
  }

  /** In the order of the expectations; only those that were to be checked. */
  results(expectations: readonly Expectation[]): RehearsalResult[] {
    return expectations.flatMap(({ name, statement, consequence, isEssential = false, feature = null }) => {
      const found = this.#outcomes.get(name)
      return found === undefined ? [] : [{ name, statement, consequence, isEssential, feature, ...found }]
    })
  }
}

/** One line, so that it fits a table. Screens and texts in it are those of the stand-in. */
export const shortMessage = (error: unknown): string => messageOf(error).replaceAll(/\s+/g, ' ').slice(0, 300)
