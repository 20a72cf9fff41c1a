/** Whether a worker may take over another configuration while its sessions run. */

interface ConfiguredAccount {
  name: string
  configDir: string
}

interface ConfiguredPool {
  name: string
  accounts: readonly ConfiguredAccount[]
  reserved: readonly ConfiguredAccount[]
}

/**
 * `pool-name`: sessions ask their pool by its name. `config-dir`: an account that sessions are on would have another config dir.
 * `reserved`: the healer would get a login that sessions are on.
 */
export type ReconfigurationObstacle =
  | { kind: 'pool-name' }
  | { kind: 'config-dir' | 'reserved'; account: string; sessions: readonly string[] }

/** The first obstacle, or null. `leases`: the sessions on each account. */
export function reconfigurationObstacle(
  before: ConfiguredPool,
  after: ConfiguredPool,
  leases: ReadonlyMap<string, readonly string[]>,
): ReconfigurationObstacle | null {
  if (before.name !== after.name) return { kind: 'pool-name' }
  for (const { name, configDir } of before.accounts) {
    const sessions = leases.get(name) ?? []
    if (sessions.length === 0) continue
    if (after.reserved.some((account) => account.configDir === configDir || account.name === name))
      return { kind: 'reserved', account: name, sessions }
    const next = after.accounts.find((account) => account.name === name)
    if (next !== undefined && next.configDir !== configDir)
      return { kind: 'config-dir', account: name, sessions }
  }
  return null
}
