/**
 * How many agents a host starts side by side. More than the machine can take only makes each of them slow, until none is
 * up within its time; so the number follows from how long the starts take.
 */
export interface StartLimit {
  /** Starts that may be under way; whole ones count. */
  allowed: number
  /** What a start takes where nothing is in its way, in ms; null before the first. */
  unloadedMs: number | null
}

/** A start that takes so many times what it takes alone is one among too many. */
const slowdownLimit = 3
/** One lucky start must not be the measure for good: the program may have grown, the disk filled. */
const forgetFactor = 1.02
/** However many cores: beyond this they wait for disk and memory, not for a core. */
const allowedMax = 64

/** A machine that is not known yet: one for each core never hurts. */
export const initialStartLimit = (cores: number): StartLimit => ({ allowed: cores, unloadedMs: null })

export interface StartSample {
  ms: number
  /** Starts that were under way when it began, itself included. */
  sideBySide: number
  /** Whether others had to wait meanwhile. */
  othersWaited: boolean
  cores: number
}

/** Grows only where the limit made others wait, and shrinks while starts are slow for being many. */
export function adjustStartLimit(
  { allowed, unloadedMs }: StartLimit,
  { ms, sideBySide, othersWaited, cores }: StartSample,
): StartLimit {
  // Only a start with a core to itself tells that the program has become slower; in a crowd each one is slow.
  const before = unloadedMs === null ? ms : unloadedMs * (sideBySide <= cores ? forgetFactor : 1)
  const known = Math.min(ms, before)
  if (ms > known * slowdownLimit) return { allowed: Math.max(cores, allowed - 0.5), unloadedMs: known }
  // Slower the higher it is, so that it settles instead of swinging.
  return { allowed: othersWaited ? Math.min(allowedMax, allowed + 1 / allowed) : allowed, unloadedMs: known }
}
