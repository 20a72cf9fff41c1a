/** What a failed turn means for its session: the same error means different things on an account and on a key (law 6). */
import { withoutSecrets } from '../../config/secrets/known.js'
import type { TurnFailure } from '../../agents/adapter/transcript.js'
import type { Wall } from '../../policy/account/account.js'
import { withCooldown } from '../../policy/account/cooldown.js'
import type { PlaceRef } from '../../policy/session/place.js'
import { attributeWall } from '../../policy/account/walls.js'
import type { SessionObservation } from '../contracts.js'
import type { Host } from '../../host/host.js'

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** The part of an observation that says what happened; the other fields are the same for all. */
export type WatchOutcome = DistributiveOmit<
  SessionObservation,
  'readings' | 'at' | 'transcriptTo' | 'wasWorking'
>

/** Records on this host what the failure says about the place, and returns the outcome of the session's watch. */
export function recordTurnFailure(
  host: Host,
  place: PlaceRef,
  model: string | null,
  seen: TurnFailure,
): WatchOutcome {
  const failure = seen.class === 'wall' ? seen : { ...seen, text: withoutSecrets(seen.text) }
  if (failure.class === 'wall') return recordWall(host, place, attributeWall(failure.wall, model))
  // Only the account's owner can end it, and no reset is known. For the session it is a wall like any other.
  if (failure.class === 'billing') return recordWall(host, place, wallOfRefusal('credit', failure))
  if (place.kind === 'substrate') {
    if (failure.class === 'context') return { kind: 'unfit', text: failure.text }
    const kind = failure.class === 'transient' ? failure.refusal : failure.class
    if (kind !== null) return recordWall(host, place, wallOfRefusal(kind, failure))
  } else if (failure.class === 'login') host.quota.recordLogin(place.name, 'out', failure.at)
  return { kind: failure.class, text: failure.text }
}

/** One line that says that a hook ended a turn, with at most 200 characters of the reason that it gave. */
export const hookStop = (hook: string, reason: string): string =>
  `a hook on ${hook} stopped its turn${reason === '' ? '' : `: "${withoutSecrets(reason).slice(0, 200)}"`}`

/**
 * On a substrate, every refusal ends the stay there: a key's quota, a storm of 529s, a rejected key, a missing model. Only its
 * owner can mend that, and the next substrate may work.
 */
const wallOfRefusal = (kind: string, { text, at }: { text: string; at: string }): Wall => ({
  kind,
  scope: 'account',
  resetsAt: null,
  evidence: text,
  at,
})

function cooledWall(host: Host, name: string, observed: Wall): Wall {
  const { cooldown, cooldownMax } = host.substrate(name)
  return withCooldown(observed, host.quota.read(name).walls, cooldown, cooldownMax)
}

function recordWall(host: Host, { kind, name }: PlaceRef, observed: Wall): WatchOutcome {
  const { quota } = host
  const wall = kind === 'account' ? observed : cooledWall(host, name, observed)
  quota.recordWall(name, wall)
  return { kind: 'walled', wall }
}
