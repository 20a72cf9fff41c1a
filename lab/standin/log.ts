/** Records requests, and lets a test wait for one. */
import type { Outcome, RecordedRequest } from './requests.js'

/** Thrown when a request that a test waits for does not arrive in time. */
class StandInTimeout extends Error {
  override readonly name = 'StandInTimeout'
  /** What arrived instead. */
  readonly received: string[]

  constructor(timeoutMs: number, received: string[]) {
    super(`no matching request came within ${timeoutMs} ms; came: ${received.join(', ') || 'none'}`)
    this.received = received
  }
}

export type RequestFilter = Partial<
  Pick<RecordedRequest, 'account' | 'kind' | 'sessionId' | 'outcome' | 'model' | 'subagent' | 'path'>
>

interface Waiter {
  fits: (request: RecordedRequest) => boolean
  done: (request: RecordedRequest) => void
}

export class RequestLog {
  readonly #requests: RecordedRequest[] = []
  readonly #waiters = new Set<Waiter>()

  add(request: Omit<RecordedRequest, 'n'>): RecordedRequest {
    const record = { n: this.#requests.length + 1, ...request }
    this.#requests.push(record)
    this.#notify(record)
    return record
  }

  /** Records how the request ended, for callers that wait for that. */
  settle(record: RecordedRequest, outcome: Outcome): void {
    record.outcome = outcome
    this.#notify(record)
  }

  #notify(record: RecordedRequest): void {
    for (const waiter of this.#waiters) if (waiter.fits(record)) waiter.done(record)
  }

  find(filter: RequestFilter): RecordedRequest[] {
    const wanted = Object.entries(filter)
    return this.#requests.filter((request) => {
      const facts = new Map<string, unknown>(Object.entries(request))
      return wanted.every(([key, value]) => facts.get(key) === value)
    })
  }

  waitFor(fits: (request: RecordedRequest) => boolean, timeoutMs: number): Promise<RecordedRequest> {
    const known = this.#requests.find(fits)
    if (known) return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        fits,
        done: (request) => {
          clearTimeout(timer)
          this.#waiters.delete(waiter)
          resolve(request)
        },
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        reject(
          new StandInTimeout(
            timeoutMs,
            this.#requests.map(({ n, kind, account, path }) => `${n} ${kind} ${account ?? '?'} ${path}`),
          ),
        )
      }, timeoutMs)
      this.#waiters.add(waiter)
    })
  }
}
