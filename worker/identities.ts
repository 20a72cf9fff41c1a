/** Law 1 and law 4 by identity: which login each account of this host is, read without starting or asking anybody. */
import type { Host } from '../activities/host.js'

/** Reads every login's identity into the host's readings, so that two names of one login are seen as one account. */
export async function readIdentities(host: Host): Promise<void> {
  const { pool, reserved } = host.config
  for (const { name, configDir } of [...pool.accounts, ...reserved]) {
    // Without its secrets: a missing one is that account's trouble, and no reason not to start.
    const place = { kind: 'account' as const, name, configDir, env: {} }
    const { identity, windows } = await host.adapter('claude-code').readIdentity(place)
    host.quota.takeIdentity(name, identity)
    host.quota.takeWindows(name, windows)
  }
}
