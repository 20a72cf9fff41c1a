/** How long a substrate is not used after it refused without a reset: for a key's quota, a storm of 529s, a bill. */
import type { Wall } from './account.js'
import { iso, toMs } from '../instants.js'

/** The longest pause before a substrate that keeps refusing is tried again, unless its owner says otherwise. */
export const maxCooldown = 3_600_000

/**
 * The wall with an end. A wall that comes soon after the end of another lasts twice as long as that one, and at least as long as the
 * cooldown. A wall that comes before that end is the same refusal, met by another session: it doubles nothing, and does not
 * shorten a stated wall. `known`: the substrate's walls so far, each with its end.
 */
export function withCooldown(
  wall: Wall,
  known: readonly Wall[],
  cooldown: number,
  longest: number = maxCooldown,
): Wall {
  if (wall.resetsAt !== null) return wall
  const at = toMs(wall.at)
  const last = known.reduce<{ at: number; end: number } | null>((newest, one) => {
    if (one.resetsAt === null || toMs(one.at) > at) return newest
    const found = { at: toMs(one.at), end: toMs(one.resetsAt) }
    return newest === null || found.end > newest.end ? found : newest
  }, null)
  if (last?.at === at) return { ...wall, resetsAt: iso(last.end) }
  if (last !== null && at < last.end) return { ...wall, resetsAt: iso(Math.max(last.end, at + cooldown)) }
  const atMost = Math.max(longest, cooldown)
  const lasted = last === null ? 0 : Math.min(last.end - last.at, atMost)
  const isInARow = last !== null && at - last.end < lasted
  const lasts = isInARow ? Math.max(cooldown, Math.min(2 * lasted, atMost)) : cooldown
  return { ...wall, resetsAt: iso(at + lasts) }
}
