/** What a failed turn means for its session: the same words of the program mean other things on an account and on a key (law 6). */
import type { TurnFailure } from '../../agents/agent.js'
import type { Wall } from '../../policy/account/account.js'
import { withCooldown } from '../../policy/account/cooldown.js'
import type { PlaceRef } from '../../policy/session/place.js'
import { attributeWall } from '../../policy/account/walls.js'
import type { SessionObservation } from '../contracts.js'
import type { Host } from '../../host/host.js'

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** What a watch saw; the rest of the observation is the same for all. */
export type WatchOutcome = DistributiveOmit<
  SessionObservation,
  'readings' | 'at' | 'transcriptTo' | 'wasWorking'
>

/** Notes on this host what the fault says of the place, and answers what the session's watch is to say. */
export function recordTurnFailure(
  host: Host,
  place: PlaceRef,
  model: string | null,
  failure: TurnFailure,
): WatchOutcome {
  if (failure.class === 'wall') return recordWall(host, place, attributeWall(failure.wall, model))
  // Only the account's owner can end it, and no reset is known: for the session it is a wall like another.
  if (failure.class === 'billing') return recordWall(host, place, wallOfRefusal('credit', failure))
  if (place.kind === 'substrate') {
    if (failure.class === 'context') return { kind: 'unfit', text: failure.text }
    const kind = failure.class === 'transient' ? failure.refusal : failure.class
    if (kind !== null) return recordWall(host, place, wallOfRefusal(kind, failure))
  } else if (failure.class === 'login') host.quota.recordLogin(place.name, 'out', failure.at)
  return { kind: failure.class, text: failure.text }
}

/**
 * On a substrate, whatever keeps it from answering us ends the stay there: a key's quota, a storm of 529s, a key that is not
 * taken, a model that it doesn't have. Nobody but its owner can mend that, and the next one may do.
 */
const wallOfRefusal = (kind: string, { text, at }: { text: string; at: string }): Wall => ({
  kind,
  scope: 'account',
  resetsAt: null,
  evidence: text,
  at,
})

function cooledWall(host: Host, name: string, observed: Wall): Wall {
  const { cooldown, cooldownAtMost } = host.substrate(name)
  return withCooldown(observed, host.quota.read(name).walls, cooldown, cooldownAtMost)
}

function recordWall(host: Host, { kind, name }: PlaceRef, observed: Wall): WatchOutcome {
  const { quota } = host
  const wall = kind === 'account' ? observed : cooledWall(host, name, observed)
  quota.recordWall(name, wall)
  return { kind: 'walled', wall }
}
