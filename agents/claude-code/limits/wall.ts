/** Why a turn could not go on: read from the row that the program itself writes, never from what somebody said about limits. */
import type { TurnFailure } from '../../agent.js'
import type { Wall, WallScope } from '../../../policy/account/account.js'
import type { ApiErrorEntry } from '../transcript/entries.js'
import { parseReset } from './resetText.js'

/** Model families that have budgets of their own; a claim that names none of them stands for the whole account. */
const families = ['opus', 'sonnet', 'haiku', 'fable']

/** The claim behind what the program calls the Fable limit. */
const fableClaim = 'seven_day_overage_included'

/** An organisation's own cap on top of the claim that is named. */
const spendCaps = new Set(['org_spend_cap_reached', 'org_level_disabled_until'])

/** Errors that only a new login, or another account, can cure. */
const loginErrors = new Set(['authentication_failed', 'oauth_org_not_allowed'])

/** Classifies the program's own error entry; the caller has checked that it is one (`isFaultRow`). */
export function classifyFailure(row: ApiErrorEntry): TurnFailure {
  const text = textOf(row)
  const wall = wallOf(row, text)
  if (wall !== null) return { class: 'wall', wall }
  const details = { text: text.split('\n')[0] ?? '', at: row.timestamp }
  const kind = failureClass(row, text)
  return kind === 'transient'
    ? { class: kind, refusal: refusalOf(row), ...details }
    : { class: kind, ...details }
}

/** The program has retried for minutes before it writes this. */
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

function failureClass(row: ApiErrorEntry, text: string): Exclude<TurnFailure['class'], 'wall'> {
  const error = row.error ?? ''
  const status = row.apiErrorStatus ?? null
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

function wallOf(row: ApiErrorEntry, text: string): Wall | null {
  if (row.error !== 'rate_limit' || (row.apiErrorStatus ?? 429) !== 429) return null
  if (row.apiError === 'usage_limit_reached' || row.quotaLimits?.status === 'rejected')
    return wallByQuota(row, text)
  // Versions that write nothing more than the text; newer ones name every error, so their text proves nothing.
  const older = row.apiError === undefined && row.apiErrorType === undefined && row.quotaLimits === undefined
  return older ? wallByText(row, text) : null
}

function wallByQuota(row: ApiErrorEntry, text: string): Wall {
  const limits = row.quotaLimits
  const claim = limits?.rateLimitType ?? claimOfText(text) ?? 'unknown'
  const kind = spendCaps.has(limits?.overageDisabledReason ?? '')
    ? 'spend'
    : claim === 'overage' && (limits?.isUsingOverage === true || limits?.overageInUse === true)
      ? 'credit'
      : claim
  const resetsAt =
    limits?.resetsAt === undefined || limits.resetsAt === null
      ? parseReset(text, row.timestamp)
      : new Date(limits.resetsAt * 1000).toISOString()
  const proof = row.apiError === undefined ? 'quotaLimits rejected' : `apiError ${row.apiError}`
  return wallFrom(row, kind, scopeOf(claim), resetsAt, proof)
}

function wallByText(row: ApiErrorEntry, text: string): Wall | null {
  const kind = claimOfText(text)
  if (kind === null) return null
  return wallFrom(
    row,
    kind,
    scopeOf(kind),
    parseReset(text, row.timestamp),
    'its text, as older versions write it',
  )
}

function wallFrom(
  row: ApiErrorEntry,
  kind: string,
  scope: WallScope,
  resetsAt: string | null,
  proof: string,
): Wall {
  const evidence = `transcript row of ${row.timestamp}: ${kind}, ${proof}`
  return { kind, scope, resetsAt, evidence, at: row.timestamp }
}

function scopeOf(claim: string): WallScope {
  if (claim === fableClaim) return 'model:fable'
  const family = families.find((one) => claim.endsWith(`_${one}`)) ?? newModelOf(claim)
  return family === undefined ? 'account' : `model:${family}`
}

/** Weekly claims are named after the model that they are about, also after one that we have never heard of. */
const newModelOf = (claim: string): string | undefined => /^seven_day_([a-z0-9]+)$/.exec(claim)?.[1]

/** The claim that stands behind the program's own wording, or null where the text is not about a plan limit at all. */
function claimOfText(text: string): string | null {
  if (/^You(?:'|’)re out of (?:extra usage|usage credits)\b/.test(text)) return 'credit'
  // At the very beginning: further on an error may repeat what somebody else said.
  const [all, what = ''] = /^You(?:'|’)ve hit your (?:(\S.*?) )?limit(?= |\n|$)/.exec(text) ?? []
  if (all === undefined) return null
  const words = what.toLowerCase()
  if (words === 'session' || words === '5-hour') return 'five_hour'
  if (words === 'weekly') return 'seven_day'
  if (words.endsWith('spend')) return 'spend'
  // Some versions name the model's number too.
  const family = families.find((one) => words.split(' ')[0] === one)
  if (family === undefined) return 'unknown'
  return family === 'fable' ? fableClaim : `seven_day_${family}`
}

function textOf(row: ApiErrorEntry): string {
  const { content } = row.message
  if (typeof content === 'string') return content.trim()
  return content
    .map((block) => block.text ?? '')
    .join('\n')
    .trim()
}
