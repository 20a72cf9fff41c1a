/**
 * Results of this worker's activities, kept until the engine has certainly received them. Temporal's library silently drops a result
 * after the engine was unreachable for some seconds, and the engine would then wait for the heartbeat timeout.
 */
import type { Context } from '@temporalio/activity'
import { ActivityNotFoundError, type Client } from '@temporalio/client'
import { CancelledFailure } from '@temporalio/common'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'

/** An activity as the engine names it among a workflow's pending activities. */
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

/** Longer than the library retries: it gives up after 10 s of refusals or 30 s of silence. Milliseconds. */
const sdkRetryWindow = 40_000
/** For the engine to accept one result. Milliseconds. */
const reportTimeout = 10_000
/** Results reported at a time, so that the engine can serve others meanwhile. */
const atOnce = 20

const keyOf = ({ workflowId, runId, activityId, attempt }: ActivityRef): string =>
  JSON.stringify([workflowId, runId, activityId, attempt])

export class PendingResults {
  readonly #running = new Set<string>()
  readonly #completed = new Map<string, CompletedActivity>()
  readonly #onStart: (context: Context) => void

  /** `onStart` is called when an activity starts. */
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
          // An activity that ends because this worker stops belongs to the next worker.
          if (context.cancellationDetails?.workerShutdown !== true)
            end({ kind: error instanceof CancelledFailure ? 'cancelled' : 'failed', error })
          throw error
        } finally {
          this.#running.delete(key)
        }
      },
    },
  })

  /** Whether the activity runs here, or its result is not reported yet. */
  knows(step: ActivityRef): boolean {
    return this.#running.has(keyOf(step)) || this.#completed.has(keyOf(step))
  }

  /** The engine has answered without a break since `since` (performance.now()): drops results from well before. */
  dropDelivered(since: number): void {
    for (const [key, { endedAt }] of this.#completed) {
      if (endedAt > since - sdkRetryWindow) return
      this.#completed.delete(key)
    }
  }

  /** Reports all results; the engine may know an activity no longer, which is fine. Throws if it cannot be reached. */
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
