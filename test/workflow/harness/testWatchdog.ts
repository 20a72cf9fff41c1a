/**
 * Watchdogs, escalations and task runs on the test server, started as the worker and the schedules start
 * them.
 */
import type { WorkflowHandle } from '@temporalio/client'
import { maxEscalationPause, maxRestartPause, type ServiceSpec } from '../../../policy/service/service.js'
import { commonQueue, escalationWorkflowId, loopScheduleId, watchdogWorkflowId } from '../../../policy/ids.js'
import {
  escalationQueries,
  type EscalationView,
  type LoopStart,
  watchdogQueries,
  type WatchdogView,
} from '../../../workflows/messages.js'
import { minute, second, type TestPool } from './testPool.js'

export function specOf(testPool: TestPool, change: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    ...{ name: `${testPool.name}-bot`, host: testPool.host.hostId, pool: testPool.name, every: 10 * minute },
    ...{
      canStart: true,
      restarts: { limit: 3, within: 60 * minute, backoff: 10 * second, backoffMax: maxRestartPause },
    },
    ...{ wakeUp: { retryEvery: minute, retryMaxInterval: maxEscalationPause } },
    ...change,
  }
}

export class TestWatchdog {
  readonly #testPool: TestPool
  readonly service: string

  private constructor(testPool: TestPool, service: string) {
    this.#testPool = testPool
    this.service = service
  }

  static async start(testPool: TestPool, change: Partial<ServiceSpec> = {}): Promise<TestWatchdog> {
    const spec = specOf(testPool, change)
    const workflowId = watchdogWorkflowId(spec.name)
    await testPool.server.client.workflow.start('watchdog', {
      ...{ workflowId, taskQueue: commonQueue, args: [spec] },
    })
    const watchdog = new TestWatchdog(testPool, spec.name)
    testPool.closeLater(watchdog.handle)
    return watchdog
  }

  /** Without the run id, so that it is followed through continue-as-new. */
  get handle(): WorkflowHandle {
    return this.#testPool.server.client.workflow.getHandle(watchdogWorkflowId(this.service))
  }

  escalation(incident: number): WorkflowHandle {
    return this.#testPool.server.client.workflow.getHandle(escalationWorkflowId(this.service, incident))
  }

  card(): Promise<WatchdogView> {
    return this.handle.query(watchdogQueries.describe)
  }

  until(isWanted: (card: WatchdogView) => boolean, within?: number): Promise<WatchdogView> {
    return this.#testPool.until(this.service, () => this.card(), isWanted, within)
  }

  untilEscalation(incident: number, isWanted: (view: EscalationView) => boolean): Promise<EscalationView> {
    const look = () => this.escalation(incident).query(escalationQueries.describe)
    return this.#testPool.until(`escalation ${incident}`, look, isWanted)
  }

  /** The watch sees this failure now, and the watchdog has reacted to it. */
  async observeTrouble(incident: number, isWanted: (card: WatchdogView) => boolean): Promise<WatchdogView> {
    this.#testPool.host.services.observations.push({
      kind: 'trouble',
      verdict: 'missing',
      why: 'it ended',
      incident,
    })
    return this.until((card) => this.#testPool.host.services.observations.isEmpty && isWanted(card))
  }
}

/** One run of a task, named as its schedule names it. */
export async function startLoop(
  testPool: TestPool,
  task: string,
  change: Partial<LoopStart> = {},
): Promise<WorkflowHandle> {
  const run: LoopStart = {
    ...{ name: `${testPool.name}-${task}`, kind: 'run', host: testPool.host.hostId, attentionAfter: 3 },
    session: null,
    ...change,
  }
  const now = new Date(await testPool.server.now()).toISOString()
  const handle = await testPool.server.client.workflow.start('loop', {
    ...{ workflowId: `${loopScheduleId(run.name)}-${now}`, taskQueue: commonQueue, args: [run] },
  })
  return handle
}
