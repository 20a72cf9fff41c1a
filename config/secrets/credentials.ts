/** Which values of an environment are secrets, where they come from, and how two of them are compared without being stored. */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import {
  isGatewayVariable,
  isLoginVariable,
  isSecretVariable,
  normalizeGateway,
} from '../../policy/independence/envKinds.js'
import type { SecretFingerprint } from '../../policy/independence/failureDomains.js'
import { isMapping } from '../load/isMapping.js'

/** A value under `env`, a literal or a reference. */
export interface Variable {
  variable: string
  value: unknown
}

export interface PlaceEnv {
  credentials: Variable[]
  /** Where its requests go instead of to the provider's own address; null if no gateway is configured. */
  gateway: Variable | null
}

/**
 * The part of a place's environment that belongs to a login. Of the `env` under `agents` only login variables count: they override
 * the login of every place where the agent runs, while other secrets there are meant for all places.
 */
export function placeEnv(own: unknown, ofAgent: unknown): PlaceEnv {
  const merged = { ...variablesIn(ofAgent, 'agent'), ...variablesIn(own, 'own') }
  const set = Object.entries(merged)
    .map(([variable, { value, of }]) => ({ variable, value, of }))
    .filter(({ value }) => value !== '')
  return {
    credentials: set.filter(({ variable, value, of }) => isCredential(variable, value, of)),
    gateway: set.find(({ variable }) => isGatewayVariable(variable)) ?? null,
  }
}

type Origin = 'own' | 'agent'

const variablesIn = (env: unknown, of: Origin): Record<string, { value: unknown; of: Origin }> =>
  Object.fromEntries(
    Object.entries(isMapping(env) ? env : {}).map(([name, value]) => [name, { value, of }] as const),
  )

function isCredential(name: string, value: unknown, of: Origin): boolean {
  if (isGatewayVariable(name)) return false
  if (of === 'agent') return isLoginVariable(name)
  return isMapping(value) || isSecretVariable(name)
}

/** Where a secret comes from, as a text that can be shown; null for a literal. `expand` makes paths absolute. */
export function secretSource(
  value: unknown,
  expand: (path: string) => string = (path) => path,
): string | null {
  if (!isMapping(value)) return null
  const { fromEnv, fromFile, fromCommand } = value
  if (typeof fromEnv === 'string') return `env:${fromEnv}`
  if (typeof fromFile === 'string') return `file:${realFile(expand(fromFile))}`
  return Array.isArray(fromCommand) ? `command:${JSON.stringify(fromCommand)}` : null
}

/** Every variable from which a configuration takes a secret, wherever the reference stands. */
export function referredVariables(configuration: unknown): Set<string> {
  const names = new Set<string>()
  JSON.stringify(configuration, (key, value: unknown) => {
    if (key === 'fromEnv' && typeof value === 'string') names.add(value)
    return value
  })
  return names
}

/** One file under two names is one secret. */
function realFile(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}

/** Long enough to tell secrets apart, and no way back to the secret. Hexadecimal digits. */
const fingerprintLength = 24

/** Only for comparisons: it goes into no message, log or history. */
export const secretFingerprint = (variable: string, secret: string): SecretFingerprint => ({
  variable,
  fingerprint: createHash('sha256').update(secret).digest('hex').slice(0, fingerprintLength),
  login: isLoginVariable(variable),
})

/** Of a literal address; one by reference is known on the host only. */
export const gatewayOf = (gateway: Variable | null): string | null =>
  typeof gateway?.value === 'string' ? normalizeGateway(gateway.value) : null
