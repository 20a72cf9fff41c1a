/** Heartbeats of steps, by which the engine knows that their worker lives. */
import { Context } from '@temporalio/activity'

/** Well within the steps' heartbeat timeout of 10 s. */
const heartbeatEvery = 3_000

/** Tells the engine that the step's worker lives; how long the step itself may take is bounded by the workflow. */
export async function withHeartbeat<T>(step: () => Promise<T>): Promise<T> {
  const context = Context.current()
  const beat = setInterval(() => context.heartbeat(), heartbeatEvery)
  try {
    return await step()
  } finally {
    clearInterval(beat)
  }
}
