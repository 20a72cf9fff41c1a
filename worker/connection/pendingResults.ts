/**
 * What the steps of this worker came to, until the engine has surely taken it. Temporal's library gives a result up after some
 * seconds of an engine that can't be reached, with no word to anybody, and the engine would then wait for missed heartbeats.
 */
import type { Context } from '@temporalio/activity'
import { ActivityNotFoundError, type Client } from '@temporalio/client'
import { CancelledFailure } from '@temporalio/common'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'

/** A step as the engine names it in what is pending of a workflow. */
export interface ActivityRef {
  workflowId: string
  runId: string
  activityId: string
  attempt: number
}

type Outcome = { kind: 'done'; value: unknown } | { kind: 'failed' | 'cancelled'; error: unknown }

interface CompletedActivity {
  token: Uint8Array
  outcome: Outcome
  endedAt: number
}

/** Beyond the library's own tries: it gives up after 10 s of refusals, and after 30 s of silence. Milliseconds. */
const sdkRetryWindow = 40_000
/** Of the engine to take one. Milliseconds. */
const reportTimeout = 10_000
/** Handed over at a time: the engine serves others meanwhile. */
const atOnce = 20

const keyOf = ({ workflowId, runId, activityId, attempt }: ActivityRef): string =>
  JSON.stringify([workflowId, runId, activityId, attempt])

export class PendingResults {
  readonly #running = new Set<string>()
  readonly #completed = new Map<string, CompletedActivity>()
  readonly #onStart: (context: Context) => void

  /** `begun` is told of each step at its begin. */
  constructor(onStart: (context: Context) => void = () => undefined) {
    this.#onStart = onStart
  }

  /** For every worker of this process. */
  readonly interceptor: ActivityInterceptorsFactory = (context) => ({
    inbound: {
      execute: async (input, next) => {
        const { info } = context
        const { workflowId = '', runId = '' } = info.workflowExecution ?? {}
        const key = keyOf({ workflowId, runId, activityId: info.activityId, attempt: info.attempt })
        const end = (outcome: Outcome): void => {
          this.#completed.set(key, { token: info.taskToken, outcome, endedAt: performance.now() })
        }
        this.#running.add(key)
        this.#onStart(context)
        try {
          const value = await next(input)
          end({ kind: 'done', value })
          return value
        } catch (error) {
          // What a worker lets go of as it stops is the next one's.
          if (context.cancellationDetails?.workerShutdown !== true)
            end({ kind: error instanceof CancelledFailure ? 'cancelled' : 'failed', error })
          throw error
        } finally {
          this.#running.delete(key)
        }
      },
    },
  })

  /** Whether the step is under way here, or its end is still to be told. */
  knows(step: ActivityRef): boolean {
    return this.#running.has(keyOf(step)) || this.#completed.has(keyOf(step))
  }

  /** The engine has answered all along since `since` (as of performance.now()): what ended well before needs no further word. */
  dropDelivered(since: number): void {
    for (const [key, { endedAt }] of this.#completed) {
      if (endedAt > since - sdkRetryWindow) return
      this.#completed.delete(key)
    }
  }

  /** Tells the engine how each ended; one that it has taken before, or that it gave up, is none of its any more. Throws where it can't. */
  async reportAll(client: Client): Promise<void> {
    const waiting = [...this.#completed].values()
    const work = async (): Promise<void> => {
      for (const [key, ended] of waiting) {
        await client.withDeadline(Date.now() + reportTimeout, () => reportResult(client, ended))
        this.#completed.delete(key)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
  }
}

async function reportResult({ activity }: Client, { token, outcome }: CompletedActivity): Promise<void> {
  try {
    if (outcome.kind === 'done') await activity.complete(token, outcome.value)
    else if (outcome.kind === 'failed') await activity.fail(token, outcome.error)
    else await activity.reportCancellation(token)
  } catch (error) {
    if (!(error instanceof ActivityNotFoundError)) throw error
  }
}
