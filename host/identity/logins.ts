/** Law 4 by identity: which login each account of this host is, so that two names of one login are seen as one account. */
import { loginLabel } from '../../policy/independence/failureDomains.js'
import { accountAgent, readDomains } from './failureDomains.js'
import type { Host } from '../host.js'

/** Reads every login into the host's readings, without starting or asking anybody. Answers what could not be read, one line each. */
export async function readLogins(host: Host): Promise<string[]> {
  const { pool, healer, unread } = await readDomains(host.config)
  const accounts = [...host.config.pool.accounts, ...host.config.reserved]
  const domains = [...pool, ...healer]
  for (const { name, configDir } of accounts) {
    const domain = domains.find((one) => one.name === name)
    if (domain === undefined) continue
    host.quota.recordIdentity(name, loginLabel(domain, domains))
    // Without its secrets: what the program wrote down of this login is read, not who answers.
    const place = { kind: 'account' as const, name, configDir, env: {} }
    const { windows } = await host
      .adapter(accountAgent)
      .readIdentity(place)
      .catch(() => ({ windows: [] }))
    if (domain.keys.every(({ login }) => !login)) host.quota.recordWindows(name, windows)
  }
  return unread
}
