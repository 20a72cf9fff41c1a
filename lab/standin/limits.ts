/** Budgets and walls of a stand-in account, and the headers in which the real API reports them. */

export interface StandInWindow {
  /** Used fraction, 0..1. */
  used: number
  resetsAt: Date
}

/** Windows that `/api/oauth/usage` knows; only the first two are in the headers of an answer. */
export const windowNames = ['five_hour', 'seven_day', 'seven_day_opus', 'seven_day_sonnet'] as const
export type WindowName = (typeof windowNames)[number]

const hour = 3_600_000

/** When the window after this one ends. */
export function nextReset(name: WindowName, window: StandInWindow | null, now: Date): Date {
  const length = name === 'five_hour' ? 5 * hour : 7 * 24 * hour
  if (!window) return new Date(now.getTime() + length)
  const passed = Math.floor((now.getTime() - window.resetsAt.getTime()) / length) + 1
  return new Date(window.resetsAt.getTime() + passed * length)
}

/**
 * `representative-claim` of a refusal: a window's name, `seven_day_overage_included`, `overage`, or anything
 * else.
 */
export type WallKind = string

export interface StandInWall {
  kind: WallKind
  /** When it ends by itself; null for a wall that names no reset and remains until it is lifted. */
  resetsAt: Date | null
  /** Sent with the refusal; they override the ones made here. */
  headers: Record<string, string>
  /** Only requests whose model has this in its name are refused; null for all. */
  model: string | null
}

const modelOfClaim: Record<string, string> = {
  seven_day_opus: 'opus',
  seven_day_sonnet: 'sonnet',
  seven_day_overage_included: 'fable',
}

export const claimModel = (kind: WallKind): string | null => modelOfClaim[kind] ?? null

const seconds = (instant: Date): string => String(Math.floor(instant.getTime() / 1000))

const headerNames = { five_hour: '5h', seven_day: '7d' } as const

export type Windows = Partial<Record<WindowName, StandInWindow>>

/** The headers that every answer to a subscription carries. */
export function quotaHeaders(windows: Windows): Record<string, string> {
  const headers: Record<string, string> = {}
  let tightest: StandInWindow | null = null
  for (const name of ['five_hour', 'seven_day'] as const) {
    const window = windows[name]
    if (!window) continue
    const prefix = `anthropic-ratelimit-unified-${headerNames[name]}`
    headers[`${prefix}-status`] = window.used >= 0.9 ? 'allowed_warning' : 'allowed'
    headers[`${prefix}-utilization`] = String(window.used)
    headers[`${prefix}-reset`] = seconds(window.resetsAt)
    if (tightest && tightest.used >= window.used) continue
    tightest = window
    headers['anthropic-ratelimit-unified-status'] = window.used >= 0.9 ? 'allowed_warning' : 'allowed'
    headers['anthropic-ratelimit-unified-representative-claim'] = name
    headers['anthropic-ratelimit-unified-reset'] = seconds(window.resetsAt)
  }
  return headers
}

/** The headers of a refusal for a plan limit. */
export function wallHeaders(wall: StandInWall, windows: Windows): Record<string, string> {
  const headers: Record<string, string> = {
    ...quotaHeaders(windows),
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-representative-claim': wall.kind,
  }
  delete headers['anthropic-ratelimit-unified-reset']
  if (wall.resetsAt) headers['anthropic-ratelimit-unified-reset'] = seconds(wall.resetsAt)
  if (wall.kind === 'five_hour' || wall.kind === 'seven_day') {
    const prefix = `anthropic-ratelimit-unified-${headerNames[wall.kind]}`
    headers[`${prefix}-status`] = 'rejected'
    headers[`${prefix}-utilization`] = '1'
    if (wall.resetsAt) headers[`${prefix}-reset`] = seconds(wall.resetsAt)
  }
  return { ...headers, ...wall.headers }
}
