/** Heartbeats of activities, which tell the engine that their worker is alive. */
import { Context } from '@temporalio/activity'

/** Well within the activities' heartbeat timeout of 10 s. */
const heartbeatEvery = 3_000

/** Sends heartbeats while the step runs. How long the step itself may take is bounded by the workflow. */
export async function withHeartbeat<T>(step: () => Promise<T>): Promise<T> {
  const context = Context.current()
  const beat = setInterval(() => context.heartbeat(), heartbeatEvery)
  try {
    return await step()
  } finally {
    clearInterval(beat)
  }
}
