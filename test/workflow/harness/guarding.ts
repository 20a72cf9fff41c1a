/** Watchdogs, escalations and runs of tasks on a stage, as the worker and the schedules start them. */
import type { WorkflowHandle } from '@temporalio/client'
import { longestCallPause, longestRest, type ServiceSpec } from '../../../policy/service/service.js'
import { commonQueue, escalationWorkflowId, loopId, watchdogWorkflowId } from '../../../policy/ids.js'
import {
  escalationQueries,
  type EscalationView,
  type LoopRun,
  watchdogQueries,
  type WatchdogCard,
} from '../../../workflows/messages.js'
import { minute, second, type Stage } from './stage.js'

export function specOf(stage: Stage, change: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    ...{ name: `${stage.pool}-bot`, host: stage.host.hostId, pool: stage.pool, every: 10 * minute },
    ...{
      canStart: true,
      restarts: { limit: 3, within: 60 * minute, pause: 10 * second, pauseAtMost: longestRest },
    },
    ...{ wakeUp: { retryEvery: minute, retryAtMost: longestCallPause } },
    ...change,
  }
}

export class Guarded {
  readonly #stage: Stage
  readonly service: string

  private constructor(stage: Stage, service: string) {
    this.#stage = stage
    this.service = service
  }

  static async start(stage: Stage, change: Partial<ServiceSpec> = {}): Promise<Guarded> {
    const spec = specOf(stage, change)
    const workflowId = watchdogWorkflowId(spec.name)
    await stage.theatre.client.workflow.start('watchdog', {
      ...{ workflowId, taskQueue: commonQueue, args: [spec] },
    })
    const guarded = new Guarded(stage, spec.name)
    stage.endWithStage(guarded.handle)
    return guarded
  }

  /** Without the run, so that it is followed through continue-as-new. */
  get handle(): WorkflowHandle {
    return this.#stage.theatre.client.workflow.getHandle(watchdogWorkflowId(this.service))
  }

  escalation(incident: number): WorkflowHandle {
    return this.#stage.theatre.client.workflow.getHandle(escalationWorkflowId(this.service, incident))
  }

  card(): Promise<WatchdogCard> {
    return this.handle.query(watchdogQueries.describe)
  }

  until(wanted: (card: WatchdogCard) => boolean, within?: number): Promise<WatchdogCard> {
    return this.#stage.until(this.service, () => this.card(), wanted, within)
  }

  untilEscalation(incident: number, wanted: (view: EscalationView) => boolean): Promise<EscalationView> {
    const look = () => this.escalation(incident).query(escalationQueries.describe)
    return this.#stage.until(`escalation ${incident}`, look, wanted)
  }

  /** The watch sees this trouble now, and the watchdog does what it does about it. */
  async trouble(incident: number, wanted: (card: WatchdogCard) => boolean): Promise<WatchdogCard> {
    this.#stage.host.services.sights.then({ kind: 'trouble', verdict: 'missing', why: 'it ended', incident })
    return this.until((card) => this.#stage.host.services.sights.isEmpty && wanted(card))
  }
}

/** One run of a task, named as its schedule names it. */
export async function startLoop(
  stage: Stage,
  task: string,
  change: Partial<LoopRun> = {},
): Promise<WorkflowHandle> {
  const run: LoopRun = {
    ...{ name: `${stage.pool}-${task}`, kind: 'run', host: stage.host.hostId, attentionAfter: 3 },
    session: null,
    ...change,
  }
  const now = new Date(await stage.theatre.now()).toISOString()
  const handle = await stage.theatre.client.workflow.start('loop', {
    ...{ workflowId: `${loopId(run.name)}-${now}`, taskQueue: commonQueue, args: [run] },
  })
  return handle
}
