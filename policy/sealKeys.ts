/** Which of the keys that seal messages can be removed. Instants and durations are milliseconds. */

interface SealKeyFacts {
  /** Whether it seals what is new. */
  isCurrent: boolean
  /** When this host last sealed with it; null if it never has, as far as is known. */
  sealedUntil: number | null
}

/** Why a key is kept: `unused`: it has not sealed here, and may be about to. */
export type KeyVerdict =
  | { kind: 'remove' }
  | { kind: 'keep'; why: 'current' | 'unused' | 'in-use' }
  | { kind: 'keep'; why: 'retention'; until: number }

/** Hosts change over one after the other, their clocks differ, and the engine removes in its own time. */
const margin = 24 * 60 * 60_000

/**
 * A key goes when everything it sealed has ended so long ago that the engine keeps nothing of it, and when nothing that it sealed was found.
 * `retention`: how long the engine keeps what has ended. `isInUse`: null if it was not looked for.
 */
export function keyVerdict(
  { isCurrent, sealedUntil }: SealKeyFacts,
  isInUse: boolean | null,
  { retention, now }: { retention: number; now: number },
): KeyVerdict {
  if (isCurrent) return { kind: 'keep', why: 'current' }
  if (sealedUntil === null) return { kind: 'keep', why: 'unused' }
  const until = sealedUntil + retention + margin
  if (now < until) return { kind: 'keep', why: 'retention', until }
  return isInUse === false ? { kind: 'remove' } : { kind: 'keep', why: 'in-use' }
}
