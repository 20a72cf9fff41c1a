/** Config dirs with made-up logins, in the agent program's format. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { StandInAccount } from './account.js'

export interface LoginOptions {
  /**
   * Default `stored`: a login as `/login` leaves it. `api-key` and `env-token` leave the dir without one and
   * put it in `env`.
   */
  kind?: 'stored' | 'api-key' | 'env-token' | 'none'
  /**
   * Of the stored access token; an expiry in the past makes the program refresh it. Default in eight hours.
   */
  expiresAt?: Date
  /** Folders that are trusted already. */
  trusted?: string[]
  /** If false, the first-run pages will still open. Default true. */
  onboarded?: boolean
  settings?: Record<string, unknown>
}

export interface Login {
  configDir: string
  /** What a launch needs beside `CLAUDE_CONFIG_DIR`: a key or a token, or nothing. */
  env: Record<string, string>
}

/**
 * Makes `dir` a config dir of this account. The same account in two dirs is the same login twice. Overwrites
 * what the dir held of it.
 */
export function makeLogin(dir: string, account: StandInAccount, options: LoginOptions = {}): Login {
  const kind = options.kind ?? 'stored'
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  if (kind === 'stored') writePrivate(join(dir, '.credentials.json'), credentials(account, options))
  writePrivate(join(dir, '.claude.json'), {
    ...(options.onboarded === false ? {} : { hasCompletedOnboarding: true, theme: 'dark' }),
    ...(kind === 'stored' ? { oauthAccount: identity(account) } : {}),
    ...(kind === 'api-key'
      ? { customApiKeyResponses: { approved: [account.apiKey.slice(-20)], rejected: [] } }
      : {}),
    projects: Object.fromEntries(
      (options.trusted ?? []).map((path) => [path, { hasTrustDialogAccepted: true }]),
    ),
  })
  if (options.settings) writePrivate(join(dir, 'settings.json'), options.settings)
  if (kind === 'api-key') return { configDir: dir, env: { ANTHROPIC_API_KEY: account.apiKey } }
  if (kind === 'env-token') return { configDir: dir, env: { CLAUDE_CODE_OAUTH_TOKEN: account.token } }
  return { configDir: dir, env: {} }
}

/** As the program leaves it after a refresh that was refused: the file exists, and is blank. */
export function blankLogin(dir: string): void {
  writePrivate(join(dir, '.credentials.json'), {
    claudeAiOauth: { accessToken: '', refreshToken: '', expiresAt: 0 },
  })
}

const cacheSchema = z.looseObject({ cachedUsageUtilization: z.looseObject({ fetchedAtMs: z.number() }) })

/**
 * Makes the usage that the program has cached in this dir older. The program asks again only if it is older
 * than a minute, so a test that asks twice would read the same numbers twice.
 */
export function ageUsageCache(dir: string, byMs = 61_000): void {
  const file = join(dir, '.claude.json')
  const config = cacheSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  config.cachedUsageUtilization.fetchedAtMs -= byMs
  writePrivate(file, config)
}

const credentials = (account: StandInAccount, { expiresAt }: LoginOptions): unknown => ({
  claudeAiOauth: {
    accessToken: account.token,
    refreshToken: account.refreshToken,
    expiresAt: (expiresAt ?? new Date(Date.now() + 8 * 3_600_000)).getTime(),
    scopes: ['user:inference', 'user:profile', 'user:sessions:claude_code'],
    subscriptionType: account.plan,
    rateLimitTier: account.rateLimitTier,
  },
})

const identity = (account: StandInAccount): unknown => ({
  accountUuid: account.uuid,
  emailAddress: account.email,
  organizationUuid: account.organizationUuid,
  organizationName: `${account.name}'s organization`,
  displayName: account.name,
})

function writePrivate(file: string, content: unknown): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
}
