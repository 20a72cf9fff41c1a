/** Retries on transient errors of the engine: while it starts, propagates changes to its parts, or is overloaded. */
import { setTimeout as delay } from 'node:timers/promises'
import { isGrpcServiceError, ServiceError } from '@temporalio/client'

/** Status codes of gRPC. */
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

/** The engine's error behind the library's wrappers; null if it is not an error of the engine. */
function refusalOf(error: unknown): Refusal | null {
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    if (isGrpcServiceError(one)) return { code: one.code, details: one.details }
  return error instanceof ServiceError ? { code: code.unavailable, details: error.message } : null
}

/** After search attributes were added to a namespace, some parts of the engine know them later than others. */
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

/** A busy server takes a while, also to propagate new search attributes. Milliseconds. */
const retryTimeout = 60_000
const firstPause = 50
const longestPause = 2_000

/** Retries `step` on transient errors, for at most `within` ms; throws any other error at once. */
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
