/** As little as a workflow can do: stand until it is told, then two steps that do nothing. */
import { proxyActivities } from '@temporalio/workflow'

const { stand, nothing } = proxyActivities<{ stand(): Promise<void>; nothing(step: 1 | 2): Promise<void> }>({
  startToCloseTimeout: '1 hour',
})

export async function floor(): Promise<void> {
  await stand()
  await nothing(1)
  await nothing(2)
}
