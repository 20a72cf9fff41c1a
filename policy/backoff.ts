/** Growing pauses. The jitter comes from a seed, so that the function is pure. */

export interface BackoffShape {
  /** The first pause, in milliseconds. */
  base: number
  /** The longest pause, with jitter. */
  cap: number
  /** The ratio of each pause to the one before. Default: 2. */
  factor?: number
}

/** The share of a pause that jitter may take off: enough to spread a herd, too little to matter otherwise. */
const jitterShare = 0.2

/** The pause before try `attempt` (1 for the first repetition), in milliseconds: between 80 % and 100 % of the grown value. */
export function backoff(attempt: number, shape: BackoffShape, seed: string): number {
  const exponent = Math.max(0, attempt - 1)
  const grown = Math.min(shape.cap, shape.base * (shape.factor ?? 2) ** exponent)
  return Math.round(grown * (1 - jitterShare * share(`${seed}#${attempt}`)))
}

/** A number from 0 to 1 that depends on the text alone (FNV-1a). */
export function share(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  // The low bits of FNV differ more between similar texts than the high ones do.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return ((hash ^ (hash >>> 12)) >>> 0) / 0x1_0000_0000
}
