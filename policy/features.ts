/**
 * Features that are switched off on purpose while something that they need of an agent program does not hold, so that they do not
 * fail by surprise. An expectation names the feature that stands on it; without one, its loss makes something slower or less sure, and
 * nothing has to be switched off.
 */

export const features = [
  /** Sessions move to other accounts, with their conversation. */
  'moves',
  /** Sessions go to a fallback, on a fork of their conversation. */
  'fallbacks',
  /** The program's status line says how much of its account is used. */
  'status-line',
  /** Texts are typed, and drafts are read, because the input line is known on the screen. */
  'input-line',
  /** The program's stash holds a draft while a text is typed. */
  'stash',
  /** The program gives a draft to its editor, whole. */
  'editor',
] as const
export type Feature = (typeof features)[number]

/** A feature that is off, and the names of the expectations that did not hold. */
export interface FeatureOff {
  feature: Feature
  missed: string[]
}

interface RehearsedExpectation {
  name: string
  /** `unchecked`: something before it failed. */
  outcome: 'held' | 'broken' | 'unchecked'
  /** What stands on it, or null. */
  feature: Feature | null
}

/** In the order of `features`. What could not be checked may hold: only what was seen to be broken switches something off. */
export function featuresOff(results: readonly RehearsedExpectation[]): FeatureOff[] {
  const broken = results.filter(({ outcome }) => outcome === 'broken')
  return features
    .map((feature) => ({
      feature,
      missed: broken.filter((one) => one.feature === feature).map(({ name }) => name),
    }))
    .filter(({ missed }) => missed.length > 0)
}

/** Undefined if nothing is off, as in a message that leaves it out. */
export const isOff = (off: readonly FeatureOff[] | undefined, feature: Feature): boolean =>
  off?.some((one) => one.feature === feature) ?? false

/**
 * The account that a session has to wait for: the one that holds its conversation, while it can't be carried to another one. Null if
 * any will do.
 */
export const accountToWaitFor = (
  off: readonly FeatureOff[] | undefined,
  conversationAt: string | null,
): string | null => (isOff(off, 'moves') ? conversationAt : null)
