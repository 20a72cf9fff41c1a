/** Law 1 by identity, before anything is started: the healer must not use a login that it heals. */
import { readDomains } from '../host/identity/failureDomains.js'
import type { Config } from '../config/config.js'
import { sharedDomains } from '../policy/independence/failureDomains.js'
import { SharedDomainError } from './errors.js'

/** Throws SharedDomainError with every overlap of the healer's side and the pool's. */
export async function assertIndependent(config: Config): Promise<void> {
  const { healer, pool } = await readDomains(config)
  const shared = sharedDomains(healer, pool)
  if (shared.length === 0) return
  throw new SharedDomainError(shared.map(({ message }) => message).join('\n'), independenceRemedy)
}

export const independenceRemedy =
  "Give the healer's side a login and secrets that the pool does not use, or remove it from outpool.yaml."
