/** Reads quota windows from the status line, the program's cache and its `/usage` text. */
import { z } from 'zod'
import type { Window } from '../../../policy/account/account.js'
import { parseReset } from './resetText.js'

/** Windows that sessions of the program use. `seven_day_oauth_apps` belongs to other programs. */
const isWindowName = (name: string): boolean =>
  /^(five_hour|seven_day)(_[a-z_]{1,60})?$/.test(name) && name !== 'seven_day_oauth_apps'

/** No login has this many windows. */
const windowsMax = 50

/** Some versions clamp percentages, others don't. */
const share = (percent: number): number => Math.min(Math.max(percent / 100, 0), 1)

const statusWindow = z.object({
  used_percentage: z.number(),
  resets_at: z.number().positive().max(8.64e12).nullish(),
})
const statusSchema = z.object({ rate_limits: z.record(z.string(), z.unknown()) })

/** `rate_limits` of a status line report, read at `at`. Windows may be missing; before the first answer all are. */
export function statusLineWindows(status: unknown, at: string): Window[] {
  const limits = statusSchema.safeParse(status).data?.rate_limits ?? {}
  return Object.entries(limits)
    .slice(0, windowsMax)
    .flatMap(([name, value]) => {
      const window = statusWindow.safeParse(value).data
      if (window === undefined || !isWindowName(name)) return []
      return [
        {
          name,
          used: share(window.used_percentage),
          resetsAt:
            window.resets_at === undefined || window.resets_at === null
              ? null
              : new Date(window.resets_at * 1000).toISOString(),
          readAt: at,
          source: 'status-line' as const,
        },
      ]
    })
}

const cachedWindow = z.object({
  utilization: z.number(),
  resets_at: z.iso.datetime({ offset: true, local: true }).nullish(),
})
const cacheSchema = z.object({
  fetchedAtMs: z.number().positive().max(8.64e15),
  accountUuid: z.string().nullish(),
  utilization: z.record(z.string(), z.unknown()),
})

/** `cachedUsageUtilization` of `.claude.json`. Numbers of another login than `identity` are ignored. */
export function cachedWindows(cached: unknown, identity: string | null): Window[] {
  const cache = cacheSchema.safeParse(cached).data
  if (cache === undefined) return []
  if (identity !== null && typeof cache.accountUuid === 'string' && cache.accountUuid !== identity) return []
  const readAt = new Date(cache.fetchedAtMs).toISOString()
  return Object.entries(cache.utilization)
    .slice(0, windowsMax)
    .flatMap(([name, value]) => {
      const window = cachedWindow.safeParse(value).data
      if (window === undefined || !isWindowName(name)) return []
      const resetsAt = typeof window.resets_at === 'string' ? utc(window.resets_at) : null
      return [{ name, used: share(window.utilization), resetsAt, readAt, source: 'config-cache' as const }]
    })
}

/** An instant without a time zone is in UTC. */
const utc = (text: string): string =>
  new Date(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`).toISOString()

const usageLine = /^[^\S\n]*Current (session|week \(([^)]+)\)): (\d+(?:\.\d+)?)% used\b(.*)$/gm

/** The output of `/usage`, read at `at`: the fallback if the cache holds nothing newer. */
export function usageTextWindows(text: string, at: string): Window[] {
  return [...text.matchAll(usageLine)]
    .slice(0, windowsMax)
    .flatMap(([, what = '', which = '', percent, rest = '']) => {
      const name = what === 'session' ? 'five_hour' : weekName(which)
      if (name === null) return []
      return [
        {
          name,
          used: share(Number(percent)),
          resetsAt: parseReset(rest, at),
          readAt: at,
          source: 'usage-probe' as const,
        },
      ]
    })
}

function weekName(which: string): string | null {
  if (which === 'all models') return 'seven_day'
  const [, model] = /^(\w+)(?: only)?$/.exec(which) ?? []
  if (model === undefined) return null
  return model === 'Fable' ? 'seven_day_overage_included' : `seven_day_${model.toLowerCase()}`
}
