/** The least that a workflow can do: wait for a signal, then run two steps that do nothing. */
import { proxyActivities } from '@temporalio/workflow'

const { waitForStart, nothing } = proxyActivities<{
  waitForStart(): Promise<void>
  nothing(step: 1 | 2): Promise<void>
}>({
  startToCloseTimeout: '1 hour',
})

export async function floor(): Promise<void> {
  await waitForStart()
  await nothing(1)
  await nothing(2)
}
