/** Errors of an engine that pass by themselves: while it starts, spreads what is new to its parts, or has more to do than it can. */
import { setTimeout as delay } from 'node:timers/promises'
import { isGrpcServiceError, ServiceError } from '@temporalio/client'

/** gRPC's own numbers. */
const code = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  aborted: 10,
  internal: 13,
  unavailable: 14,
} as const
const transientCodes = new Set<number>([
  ...[code.deadlineExceeded, code.resourceExhausted, code.aborted, code.internal, code.unavailable],
])

interface Refusal {
  code: number
  details: string
}

/** What the engine said, behind whatever the library made of it; null for an error that is not the engine's. */
function refusalOf(error: unknown): Refusal | null {
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    if (isGrpcServiceError(one)) return { code: one.code, details: one.details }
  return error instanceof ServiceError ? { code: code.unavailable, details: error.message } : null
}

/** Where a namespace has just got its search attributes, some parts of the engine know them later than others. */
export function lacksSearchAttributes(error: unknown): boolean {
  const refusal = refusalOf(error)
  return refusal?.code === code.invalidArgument && /search ?attribute/i.test(refusal.details)
}

export function lacksNamespace(error: unknown): boolean {
  const refusal = refusalOf(error)
  return refusal?.code === code.notFound && /namespace/i.test(refusal.details)
}

export const isTransient = (error: unknown): boolean =>
  transientCodes.has(refusalOf(error)?.code ?? -1) || lacksSearchAttributes(error)

/** A server under load takes a while, also to spread new search attributes to its parts. Milliseconds. */
const retryTimeout = 60_000
const firstPause = 50
const longestPause = 2_000

/** Does it again while what it fails on passes; throws what stays for a minute, and everything else at once. */
export async function retryTransient<T>(step: () => Promise<T>, within = retryTimeout): Promise<T> {
  const until = performance.now() + within
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    try {
      return await step()
    } catch (error) {
      if (!isTransient(error) || performance.now() > until) throw error
    }
    await delay(pause)
  }
}
