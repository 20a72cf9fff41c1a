/**
 * A drill's declaration: for this one session every account of the pool counts as walled, until it is lifted or its time is over.
 * It touches no other session, and ends by itself: a drill that crashes leaves nothing declared. Instants are ISO 8601 in UTC.
 */
import type { PoolDesk } from './poolState.js'
import { iso, ms } from '../instants.js'

export interface Declaration {
  session: string
  until: string
}

/** However long a drill asks for. Milliseconds. */
export const declaredAtMost = 60 * 60_000

export const declare = (desk: PoolDesk, { session, until }: Declaration, now: string): PoolDesk => ({
  ...desk,
  declared: [
    ...standing(desk, now).filter((one) => one.session !== session),
    { session, until: iso(Math.min(ms(until), ms(now) + declaredAtMost)) },
  ],
})

export const lift = (desk: PoolDesk, session: string): PoolDesk => ({
  ...desk,
  declared: (desk.declared ?? []).filter((one) => one.session !== session),
})

/** The desk without those whose time is over. */
export const withStanding = (desk: PoolDesk, now: string): PoolDesk =>
  desk.declared === undefined ? desk : { ...desk, declared: standing(desk, now) }

const standing = ({ declared }: PoolDesk, now: string): Declaration[] =>
  (declared ?? []).filter(({ until }) => ms(until) > ms(now))

/** Until when every account counts as walled for this session, or null. `now` in milliseconds. */
export function declaredUntil({ declared }: PoolDesk, session: string, now: number): number | null {
  const found = (declared ?? []).find((one) => one.session === session)
  return found !== undefined && ms(found.until) > now ? ms(found.until) : null
}
