/** Which of the healer's own places is tried next. The pool is not among them (law 1). */
import type { AccountReading } from '../account/account.js'
import { formatClock } from '../instants.js'
import type { HealerPlace } from '../service/service.js'
import { wallBinds, currentWalls } from '../account/walls.js'

export type HealerChoice =
  | { kind: 'place'; place: HealerPlace }
  /** None is able. `why` gives the reason for each, in one line for a person. */
  | { kind: 'none'; why: string }

const nameOf = ({ kind, name }: HealerPlace): string => `${kind} ${name}`

/** The first place that was not tried in this round and is not known to refuse. Unknown ones are tried. */
export function nextHealer(
  places: readonly HealerPlace[],
  readings: readonly AccountReading[],
  tried: readonly { place: HealerPlace; why: string }[],
  model: string | null,
  wakeMargin: number,
  now: number,
): HealerChoice {
  const reasons: string[] = []
  for (const place of places) {
    const before = tried.find((one) => nameOf(one.place) === nameOf(place))
    const why = before?.why ?? ineligibleBecause(place, readings, model, wakeMargin, now)
    if (why === null) return { kind: 'place', place }
    reasons.push(`${place.name}: ${why}`)
  }
  return { kind: 'none', why: reasons.join('; ') || 'the healer has no account of its own' }
}

function ineligibleBecause(
  place: HealerPlace,
  readings: readonly AccountReading[],
  model: string | null,
  wakeMargin: number,
  now: number,
): string | null {
  const reading = readings.find(({ account }) => place.kind === 'account' && account === place.name)
  if (reading === undefined) return null
  if (reading.login === 'out') return 'logged out'
  const ends = currentWalls(reading.walls, reading.windows, wakeMargin, now)
    .filter((wall) => !wall.lapsed && wallBinds(wall, model))
    .map(({ end }) => end)
  return ends.length === 0 ? null : `walled until ${formatClock(Math.max(...ends), now)}`
}
