/**
 * How many agents a host starts at the same time. Too many slow each other down, until none is up in time; so the limit follows
 * from the durations of the starts.
 */
export interface StartLimit {
  /** Starts that may be under way, rounded down. */
  allowed: number
  /** The duration of a start without load, in ms; null before the first. */
  unloadedMs: number | null
}

/** A start that takes this many times its duration without load shows that the limit is too high. */
const slowdownLimit = 3
/** One quick start must not be the measure for good: the program may have grown since, or the disk filled. */
const forgetFactor = 1.02
/** Beyond this number, starts wait for disk and memory and not for a core. */
const allowedMax = 64

/** The limit of a machine that is not known yet: one start for each core. */
export const initialStartLimit = (cores: number): StartLimit => ({ allowed: cores, unloadedMs: null })

export interface StartSample {
  ms: number
  /** Starts that were under way when it began, itself included. */
  sideBySide: number
  /** Whether other starts had to wait meanwhile. */
  othersWaited: boolean
  cores: number
}

/** Grows only if the limit made others wait, and shrinks while starts slow each other down. */
export function adjustStartLimit(
  { allowed, unloadedMs }: StartLimit,
  { ms, sideBySide, othersWaited, cores }: StartSample,
): StartLimit {
  // Only a start with a core to itself shows that the program has become slower: beside many others each one is slow.
  const before = unloadedMs === null ? ms : unloadedMs * (sideBySide <= cores ? forgetFactor : 1)
  const known = Math.min(ms, before)
  if (ms > known * slowdownLimit) return { allowed: Math.max(cores, allowed - 0.5), unloadedMs: known }
  // Grows more slowly the higher it is, so that it converges instead of oscillating.
  return { allowed: othersWaited ? Math.min(allowedMax, allowed + 1 / allowed) : allowed, unloadedMs: known }
}
