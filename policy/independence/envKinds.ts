/** What a variable of an agent's environment is, by the shape of its name: programs differ, these words do not. */

/** What a program logs in with instead of a stored login: `ANTHROPIC_API_KEY`, `CLAUDE_CODE_OAUTH_TOKEN`, `OPENAI_API_KEY` and their like. */
export const isLoginVariable = (name: string): boolean =>
  /(^|_)(API_KEY|AUTH_TOKEN|OAUTH_TOKEN|BEARER_TOKEN)(_|$)/.test(name)

/** Where its requests go instead of to the provider's own address: `ANTHROPIC_BASE_URL` and its like. */
export const isGatewayVariable = (name: string): boolean => /_BASE_URL$/.test(name)

/** May hold a secret even where it is written down as a plain text. Authors of commits are none. */
export const isSecretVariable = (name: string): boolean =>
  /key|token|secret|passw|credential|auth(?!or)/i.test(name)

/**
 * One text for each gateway, however it is written: no user, query, default port or trailing slash, and one name for
 * this machine. Null for what is no address.
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
