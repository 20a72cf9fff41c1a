/**
 * The refusals of the real API, by name: status, error body and headers. None of them is a plan limit; for
 * those see limits.ts.
 */

export interface Fault {
  status: number
  /** `error.type` of the body. */
  type: string
  message: string
  headers?: Record<string, string>
}

/** What may fail below HTTP. */
export type Breakage =
  /** The request is read and never answered, until the other side gives up or `release()` is called. */
  | 'hang'
  /** The connection is closed without an answer. */
  | 'reset'
  /** The stream stops in the middle of an answer. */
  | 'cut'

const faults = {
  throttled: {
    status: 429,
    type: 'rate_limit_error',
    message: 'This request would exceed the rate limit. Please try again later.',
  },
  'throttled-long': {
    status: 429,
    type: 'rate_limit_error',
    message: 'This request would exceed the rate limit. Please try again later.',
    headers: { 'retry-after': '120' },
  },
  'throttled-no-retry': {
    status: 429,
    type: 'rate_limit_error',
    message: 'This request would exceed the rate limit. Please try again later.',
    headers: { 'x-should-retry': 'false' },
  },
  /** A 429 that names a status but no claim: the program takes it for a throttle. */
  'throttled-status-only': {
    status: 429,
    type: 'rate_limit_error',
    message: 'This request would exceed the rate limit. Please try again later.',
    headers: { 'anthropic-ratelimit-unified-status': 'rejected' },
  },
  overloaded: { status: 529, type: 'overloaded_error', message: 'Overloaded' },
  'server-error': { status: 500, type: 'api_error', message: 'Internal server error' },
  unauthorized: { status: 401, type: 'authentication_error', message: 'Invalid bearer token' },
  'invalid-api-key': { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
  'token-revoked': {
    status: 403,
    type: 'permission_error',
    message: 'OAuth token has been revoked. Please obtain a new token.',
  },
  'oauth-not-allowed': {
    status: 403,
    type: 'permission_error',
    message: 'OAuth authentication is currently not allowed for this organization.',
  },
  'credit-too-low': {
    status: 400,
    type: 'invalid_request_error',
    message:
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  },
  'organization-disabled': {
    status: 400,
    type: 'invalid_request_error',
    message: 'This organization has been disabled.',
  },
  'model-unknown': { status: 404, type: 'not_found_error', message: 'model: no-such-model' },
  'prompt-too-long': {
    status: 400,
    type: 'invalid_request_error',
    message: 'prompt is too long: 1204377 tokens > 1000000 maximum',
  },
} as const satisfies Record<string, Fault>

export type FaultName = keyof typeof faults

export const resolveFault = (fault: FaultName | Fault): Fault =>
  typeof fault === 'string' ? faults[fault] : fault
