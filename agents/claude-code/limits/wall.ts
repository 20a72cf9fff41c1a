/** Why a turn failed: read from the program's own error entry, never from other text that mentions limits. */
import { boundedText } from '../../../policy/boundedText.js'
import type { TurnFailure } from '../../adapter/transcript.js'
import type { Wall, WallScope } from '../../../policy/account/account.js'
import type { ApiErrorEntry } from '../transcript/entries.js'
import { parseReset } from './resetText.js'

/** Model families with separate budgets; a claim that names no model is about the whole account. */
const families = ['opus', 'sonnet', 'haiku', 'fable']

/** The claim name of what the program calls the Fable limit. */
const fableClaim = 'seven_day_overage_included'

/** Reasons that mean an organisation's own spending cap, whatever the claim. */
const spendCaps = new Set(['org_spend_cap_reached', 'org_level_disabled_until'])

/** Errors that only a new login, or another account, can cure. */
const loginErrors = new Set(['authentication_failed', 'oauth_org_not_allowed'])

/** An error that quotes more than this is cut, in characters: what it is about is at its beginning. */
const textMax = 1_000

/** Classifies the program's own error entry. */
export function classifyFailure(entry: ApiErrorEntry): TurnFailure {
  const text = boundedText(textOf(entry), textMax)
  const wall = wallOf(entry, text)
  if (wall !== null) return { class: 'wall', wall }
  const details = { text: text.split('\n')[0] ?? '', at: entry.timestamp }
  const kind = failureClass(entry, text)
  return kind === 'transient'
    ? { class: kind, refusal: refusalOf(entry), ...details }
    : { class: kind, ...details }
}

/** The program retries for minutes before it writes these errors. */
function refusalOf({
  error,
  apiErrorStatus,
  apiErrorType,
}: ApiErrorEntry): 'rate_limit' | 'overloaded' | null {
  if (apiErrorStatus === 429 || error === 'rate_limit') return 'rate_limit'
  return apiErrorStatus === 529 || error === 'overloaded' || apiErrorType === 'overloaded_error'
    ? 'overloaded'
    : null
}

function failureClass(entry: ApiErrorEntry, text: string): Exclude<TurnFailure['class'], 'wall'> {
  const error = entry.error ?? ''
  const status = entry.apiErrorStatus ?? null
  if (error === 'billing_error') return 'billing'
  if (loginErrors.has(error) || status === 401) return 'login'
  if (status === 429 || error === 'rate_limit' || error === 'overloaded' || error === 'server_error')
    return 'transient'
  if (error === 'model_not_found') return 'config'
  if (/^(?:API Error: \d+ )?(?:Prompt is too long|prompt is too long)/.test(text)) return 'context'
  if (/\borganization has been disabled\b/.test(text)) return 'login'
  if (status === 403) return 'login'
  if (error === 'invalid_request' || (status !== null && status >= 400 && status < 500)) return 'config'
  return 'transient'
}

function wallOf(entry: ApiErrorEntry, text: string): Wall | null {
  if (entry.error !== 'rate_limit' || (entry.apiErrorStatus ?? 429) !== 429) return null
  if (entry.apiError === 'usage_limit_reached' || entry.quotaLimits?.status === 'rejected')
    return wallByQuota(entry, text)
  // Older versions write only a text. Newer ones name every error, so their text alone proves nothing.
  const older =
    entry.apiError === undefined && entry.apiErrorType === undefined && entry.quotaLimits === undefined
  return older ? wallByText(entry, text) : null
}

function wallByQuota(entry: ApiErrorEntry, text: string): Wall {
  const limits = entry.quotaLimits
  const claim = limits?.rateLimitType ?? claimOfText(text) ?? 'unknown'
  const kind = spendCaps.has(limits?.overageDisabledReason ?? '')
    ? 'spend'
    : claim === 'overage' && (limits?.isUsingOverage === true || limits?.overageInUse === true)
      ? 'credit'
      : claim
  const resetsAt =
    limits?.resetsAt === undefined || limits.resetsAt === null
      ? parseReset(text, entry.timestamp)
      : new Date(limits.resetsAt * 1000).toISOString()
  const proof = entry.apiError === undefined ? 'quotaLimits rejected' : `apiError ${entry.apiError}`
  return wallFrom(entry, kind, scopeOf(claim), resetsAt, proof)
}

function wallByText(entry: ApiErrorEntry, text: string): Wall | null {
  const kind = claimOfText(text)
  if (kind === null) return null
  return wallFrom(
    entry,
    kind,
    scopeOf(kind),
    parseReset(text, entry.timestamp),
    'its text, as older versions write it',
  )
}

function wallFrom(
  entry: ApiErrorEntry,
  kind: string,
  scope: WallScope,
  resetsAt: string | null,
  proof: string,
): Wall {
  const evidence = `transcript entry of ${entry.timestamp}: ${kind}, ${proof}`
  return { kind, scope, resetsAt, evidence, at: entry.timestamp }
}

function scopeOf(claim: string): WallScope {
  if (claim === fableClaim) return 'model:fable'
  const family = families.find((one) => claim.endsWith(`_${one}`)) ?? newModelOf(claim)
  return family === undefined ? 'account' : `model:${family}`
}

/** Weekly claims are named after their model, which may be a new one. */
const newModelOf = (claim: string): string | undefined => /^seven_day_([a-z0-9]+)$/.exec(claim)?.[1]

/** The claim that the program's text is about; null if the text is not about a plan limit. */
function claimOfText(text: string): string | null {
  if (/^You(?:'|’)re out of (?:extra usage|usage credits)\b/.test(text)) return 'credit'
  // Only at the beginning: further on, an error may quote other text.
  const [all, what = ''] = /^You(?:'|’)ve hit your (?:(\S.*?) )?limit(?= |\n|$)/.exec(text) ?? []
  if (all === undefined) return null
  const words = what.toLowerCase()
  if (words === 'session' || words === '5-hour') return 'five_hour'
  if (words === 'weekly') return 'seven_day'
  if (words.endsWith('spend')) return 'spend'
  // Some versions add the model's version number.
  const family = families.find((one) => words.split(' ')[0] === one)
  if (family === undefined) return 'unknown'
  return family === 'fable' ? fableClaim : `seven_day_${family}`
}

function textOf(entry: ApiErrorEntry): string {
  const { content } = entry.message
  if (typeof content === 'string') return content.trim()
  return content
    .map((block) => block.text ?? '')
    .join('\n')
    .trim()
}
