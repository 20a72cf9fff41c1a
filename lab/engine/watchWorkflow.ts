/** A workflow that waits in one step of a host, as a session waits in its watch. */
import { proxyActivities } from '@temporalio/workflow'

export async function waitInWatch(taskQueue: string): Promise<void> {
  const { watch } = proxyActivities<{ watch(): Promise<void> }>({
    ...{ taskQueue, startToCloseTimeout: '1 day', heartbeatTimeout: '1 hour' },
    retry: { initialInterval: '10 minutes', backoffCoefficient: 1 },
  })
  await watch()
}
