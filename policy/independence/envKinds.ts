/** What a variable of an agent's environment is for, by words in its name that all programs share. */

/** Whether a program logs in with it instead of its stored login: `ANTHROPIC_API_KEY`, `CLAUDE_CODE_OAUTH_TOKEN`, `OPENAI_API_KEY` and their like. */
export const isLoginVariable = (name: string): boolean =>
  /(^|_)(API_KEY|AUTH_TOKEN|OAUTH_TOKEN|BEARER_TOKEN)(_|$)/.test(name)

/** Whether it redirects requests from the provider's address: `ANTHROPIC_BASE_URL` and its like. */
export const isGatewayVariable = (name: string): boolean => /_BASE_URL$/.test(name)

/** Whether it may hold a secret, even if the configuration gives it as plain text. Names of commit authors are none. */
export const isSecretVariable = (name: string): boolean =>
  /key|token|secret|passw|credential|auth(?!or)/i.test(name)

/**
 * The normalised address of a gateway: without user, query, default port and trailing slash, and with one name for this
 * machine. Null if it is not an address.
 */
export function normalizeGateway(written: string): string | null {
  let url: URL
  try {
    url = new URL(written.trim())
  } catch {
    return null
  }
  const host = url.hostname.replace(/\.$/, '')
  const here = host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
  const port = url.port === '' ? '' : `:${url.port}`
  return `${url.protocol}//${here ? 'localhost' : host}${port}${url.pathname.replace(/\/+$/, '')}`
}
