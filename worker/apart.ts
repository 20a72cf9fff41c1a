/** Law 1 by identity, before anything is started: whoever heals must not be logged in as whom it heals. */
import { agentNamed } from '../agents/index.js'
import type { AccountConfig, Config, EnvValue } from '../config/config.js'
import { type FailureDomain, sharedDomains } from '../policy/failureDomains.js'
import { SharedDomainError } from './errors.js'

/** Throws SharedDomainError with every overlap of reserved accounts and pool. Reads no secret. */
export async function assertApart(config: Config): Promise<void> {
  const [healer, pool] = await Promise.all([
    Promise.all(config.reserved.map((account) => domainOf(account, 'reserved account'))),
    Promise.all(config.pool.accounts.map((account) => domainOf(account, 'pool account'))),
  ])
  const shared = sharedDomains(healer, pool)
  if (shared.length === 0) return
  throw new SharedDomainError(
    shared.map(({ message }) => message).join('\n'),
    'Log the reserved account in with a login that no pool account uses, or take it out of `reserved`.',
  )
}

async function domainOf({ name, configDir, env }: AccountConfig, what: string): Promise<FailureDomain> {
  const place = { kind: 'account' as const, name, configDir, env: {} }
  const { identity } = await agentNamed('claude-code').readIdentity(place)
  const credentials = Object.values(env).flatMap(referenceOf)
  return { name, what, configDir, identity, credentials }
}

/** Where a secret comes from, as one text; a literal is not a secret by reference and says nothing. */
function referenceOf(value: EnvValue): string[] {
  if (typeof value === 'string') return []
  if ('fromEnv' in value) return [`env:${value.fromEnv}`]
  if ('fromFile' in value) return [`file:${value.fromFile}`]
  return [`command:${value.fromCommand.join(' ')}`]
}
