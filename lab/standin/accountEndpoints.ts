/**
 * The endpoints beside the model: usage, profile, token refresh, hello. The program calls them on fixed
 * hosts.
 */
import { z } from 'zod'
import { parseJson } from '../../policy/parseJson.js'
import type { StandInAccount } from './account.js'
import type { StandInWindow } from './limits.js'

export interface EndpointReply {
  status: number
  body: unknown
  headers?: Record<string, string>
}

interface EndpointRequest {
  path: string
  text: string
  account: StandInAccount | null
  accounts: StandInAccount[]
}

/** Null for a path that is none of these. */
export function accountEndpoints({
  path,
  text,
  account,
  accounts,
}: EndpointRequest): EndpointReply | 'hang' | null {
  const route = path.split('?')[0] ?? path
  if (route === '/api/hello' || route === '/v1/oauth/hello')
    return { status: 200, body: { message: 'hello' } }
  if (route === '/v1/oauth/token') return refreshed(text, accounts)
  if (route !== '/api/oauth/usage' && route !== '/api/oauth/profile') return null
  if (!account) return refusal(401, 'authentication_error', 'Invalid bearer token')
  return route === '/api/oauth/usage' ? usageOf(account) : { status: 200, body: profileOf(account) }
}

const refusal = (status: number, type: string, message: string): EndpointReply => ({
  status,
  body: { type: 'error', error: { type, message } },
})

function usageOf(account: StandInAccount): EndpointReply | 'hang' {
  const { usage } = account
  if (usage.mode === 'hang') return 'hang'
  if (usage.mode === 'error') return refusal(usage.status, 'api_error', 'Internal server error')
  if (usage.mode === 'throttled') {
    const headers = usage.retryAfter === null ? {} : { 'retry-after': String(usage.retryAfter) }
    return { ...refusal(429, 'rate_limit_error', 'Rate limited. Please try again later.'), headers }
  }
  const windows = account.windowsAt(new Date())
  return {
    status: 200,
    body: {
      five_hour: usageWindow(windows.five_hour),
      seven_day: usageWindow(windows.seven_day),
      seven_day_oauth_apps: null,
      seven_day_opus: usageWindow(windows.seven_day_opus),
      seven_day_sonnet: usageWindow(windows.seven_day_sonnet),
      extra_usage: { is_enabled: false, monthly_limit: null, used_credits: null, utilization: null },
    },
  }
}

const usageWindow = (window: StandInWindow | undefined): unknown =>
  window
    ? { utilization: Math.round(window.used * 1000) / 10, resets_at: window.resetsAt.toISOString() }
    : null

const profileOf = (account: StandInAccount): unknown => ({
  account: {
    uuid: account.uuid,
    full_name: account.name,
    display_name: account.name,
    email: account.email,
    has_claude_max: account.plan === 'max',
    has_claude_pro: account.plan === 'pro',
  },
  organization: {
    uuid: account.organizationUuid,
    name: `${account.name}'s organization`,
    organization_type: `claude_${account.plan}`,
    billing_type: 'stripe_subscription',
    rate_limit_tier: account.rateLimitTier,
    has_extra_usage_enabled: false,
  },
})

const refreshSchema = z.looseObject({ refresh_token: z.string() })

function refreshed(text: string, accounts: StandInAccount[]): EndpointReply {
  const asked = refreshSchema.safeParse(parseJson(text))
  const account = asked.success ? accounts.find((one) => one.refresh(asked.data.refresh_token)) : undefined
  if (!account)
    return {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Refresh token not found or invalid' },
    }
  return {
    status: 200,
    body: {
      token_type: 'Bearer',
      access_token: account.token,
      refresh_token: account.refreshToken,
      expires_in: 28_800,
      scope: 'user:inference user:profile user:sessions:claude_code',
      account: { uuid: account.uuid, email_address: account.email },
      organization: { uuid: account.organizationUuid, name: `${account.name}'s organization` },
    },
  }
}
