/** Law 4 by identity: reads which login each account of this host has, so that two names of one login count as one account. */
import { loginLabel } from '../../policy/independence/failureDomains.js'
import { accountAgent, readDomains } from './failureDomains.js'
import type { Host } from '../host.js'

/** Stores every login in the host's readings, without starting a program. Returns what could not be read, one line each. */
export async function readLogins(host: Host): Promise<string[]> {
  const { pool, healer, unread } = await readDomains(host.config)
  const accounts = [...host.config.pool.accounts, ...host.config.reserved]
  const domains = [...pool, ...healer]
  for (const { name, configDir } of accounts) {
    const domain = domains.find((one) => one.name === name)
    if (domain === undefined) continue
    host.quota.recordIdentity(name, loginLabel(domain, domains))
    // Read without secrets: this concerns the stored login, even if a key in the environment takes precedence.
    const place = { kind: 'account' as const, name, configDir, env: {} }
    const { windows } = await host
      .adapter(accountAgent)
      .readIdentity(place)
      .catch(() => ({ windows: [] }))
    if (domain.keys.every(({ login }) => !login)) host.quota.recordWindows(name, windows)
  }
  return unread
}
