/** Every way in which a turn of the agent program can fail, how to reproduce it, and its expected class. */
import type { Plan, StandInAccount } from './account.js'
import type { FaultName } from './faults.js'
import type { LoginOptions } from './logins.js'

/** Reset instants of a run. */
export interface Instants {
  /** Two hours away: its text names only a time. */
  soon: Date
  /** More than two days away: its text names a date. */
  later: Date
}

/** Instants on whole minutes, so that a text without seconds states the same one. */
export function instantsFrom(now: Date): Instants {
  const minute = Math.floor(now.getTime() / 60_000) * 60_000
  return { soon: new Date(minute + 2 * 3_600_000), later: new Date(minute + 60 * 3_600_000) }
}

/** `kinds` are DESIGN's words and the agent's own claim name; either is accepted. */
type ExpectedFailure =
  | { class: 'wall'; kinds: string[]; scope: 'account' | `model:${string}`; resets: 'soon' | 'later' | null }
  | { class: 'transient' | 'login' | 'billing' | 'config' | 'context' }

export interface WallCase {
  name: string
  wanted: ExpectedFailure
  /** Kinds that are accepted if a version writes nothing but a text, and the text does not name the claim. */
  kindsByText?: string[]
  /** Done before the program starts. */
  arrange: (account: StandInAccount, instants: Instants) => void
  login?: LoginOptions
  plan?: Plan
  /** Passed with `--model`. */
  model?: string
  /** Beside the clean environment. */
  env?: Record<string, string>
}

const unified = 'anthropic-ratelimit-unified'

const wall = (
  kinds: string[],
  resets: keyof Instants | null,
  scope: 'account' | `model:${string}` = 'account',
): ExpectedFailure => ({ class: 'wall', kinds, scope, resets })

const failing = (
  name: string,
  fault: FaultName,
  wanted: Exclude<ExpectedFailure['class'], 'wall'>,
): WallCase => ({
  name,
  wanted: { class: wanted },
  arrange: (account) => account.fail(fault),
})

const withKey = (row: WallCase): WallCase => ({ ...row, login: { kind: 'api-key' } })

export const wallCases: readonly WallCase[] = [
  {
    name: 'five-hour limit',
    wanted: wall(['five_hour'], 'soon'),
    arrange: (account, { soon }) => account.wall('five_hour', soon),
  },
  {
    name: 'five-hour limit, login by environment token',
    wanted: wall(['five_hour'], 'soon'),
    login: { kind: 'env-token' },
    arrange: (account, { soon }) => account.wall('five_hour', soon),
  },
  {
    name: 'five-hour limit without a reset',
    wanted: wall(['five_hour'], null),
    arrange: (account) => account.wall('five_hour', null),
  },
  {
    name: 'weekly limit',
    wanted: wall(['seven_day'], 'later'),
    arrange: (account, { later }) => account.wall('seven_day', later),
  },
  {
    name: 'Opus limit',
    wanted: wall(['seven_day_opus'], 'later', 'model:opus'),
    model: 'opus',
    arrange: (account, { later }) => account.wall('seven_day_opus', later),
  },
  {
    name: 'Sonnet limit',
    wanted: wall(['seven_day_sonnet'], 'later', 'model:sonnet'),
    model: 'sonnet',
    arrange: (account, { later }) => account.wall('seven_day_sonnet', later),
  },
  {
    name: 'Fable limit',
    wanted: wall(['seven_day_overage_included'], 'later', 'model:fable'),
    arrange: (account, { later }) => account.wall('seven_day_overage_included', later, { model: null }),
  },
  {
    name: 'limit with an unknown claim',
    wanted: wall(['thirty_day'], 'soon'),
    kindsByText: ['unknown'],
    arrange: (account, { soon }) => account.wall('thirty_day', soon),
  },
  {
    name: 'overage limit',
    wanted: wall(['overage'], 'soon'),
    kindsByText: ['unknown'],
    arrange: (account, { soon }) => account.wall('overage', soon),
  },
  {
    name: 'individual spend limit',
    wanted: wall(['spend'], 'soon'),
    plan: 'enterprise',
    arrange: (account, { soon }) =>
      account.wall('five_hour', soon, {
        headers: {
          [`${unified}-overage-status`]: 'rejected',
          [`${unified}-overage-disabled-reason`]: 'org_spend_cap_reached',
        },
      }),
  },
  {
    name: 'monthly spend limit of the organization',
    wanted: wall(['spend'], 'soon'),
    plan: 'enterprise',
    arrange: (account, { soon }) =>
      account.wall('five_hour', soon, {
        headers: {
          [`${unified}-overage-status`]: 'rejected',
          [`${unified}-overage-disabled-reason`]: 'org_level_disabled_until',
        },
      }),
  },
  {
    name: 'five-hour limit, overage disabled for the organization',
    wanted: wall(['five_hour'], 'soon'),
    arrange: (account, { soon }) =>
      account.wall('five_hour', soon, {
        headers: {
          [`${unified}-overage-status`]: 'rejected',
          [`${unified}-overage-disabled-reason`]: 'org_level_disabled',
        },
      }),
  },
  {
    name: 'usage credits used up',
    wanted: wall(['overage', 'credit'], 'soon'),
    kindsByText: ['unknown'],
    arrange: (account, { soon }) =>
      account.wall('overage', soon, {
        headers: { [`${unified}-overage-status`]: 'rejected', [`${unified}-overage-in-use`]: 'true' },
      }),
  },
  failing('429 without unified headers', 'throttled', 'transient'),
  failing('429 with a long retry-after', 'throttled-long', 'transient'),
  failing('429 that must not be retried', 'throttled-no-retry', 'transient'),
  failing('429 with a status but no claim', 'throttled-status-only', 'transient'),
  withKey(failing('429 with an API key', 'throttled', 'transient')),
  {
    name: '429 with an API key and the headers of a plan limit',
    wanted: { class: 'transient' },
    login: { kind: 'api-key' },
    arrange: (account, { soon }) => account.wall('five_hour', soon),
  },
  failing('529', 'overloaded', 'transient'),
  failing('500', 'server-error', 'transient'),
  {
    name: 'connection closed without an answer',
    wanted: { class: 'transient' },
    arrange: (account) => account.break('reset'),
  },
  failing('401 with a login', 'unauthorized', 'login'),
  withKey(failing('401 with an API key', 'invalid-api-key', 'login')),
  failing('403, token revoked', 'token-revoked', 'login'),
  {
    ...failing('403, subscription not allowed for the organization', 'oauth-not-allowed', 'login'),
    plan: 'enterprise',
  },
  {
    name: 'refresh token rejected',
    wanted: { class: 'login' },
    login: { expiresAt: new Date(0) },
    arrange: (account) => {
      account.revoked = true
    },
  },
  { name: 'no credential', wanted: { class: 'login' }, login: { kind: 'none' }, arrange: () => undefined },
  withKey(failing('400, credit balance too low', 'credit-too-low', 'billing')),
  failing('400, organization disabled', 'organization-disabled', 'login'),
  failing('404, no such model', 'model-unknown', 'config'),
  failing('400, prompt too long', 'prompt-too-long', 'context'),
]

/** Few retries with short waits, so that a transient failure ends soon. */
export const fewRetries = { CLAUDE_CODE_MAX_RETRIES: '1' }
