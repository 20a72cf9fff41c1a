/** The pollers that ask the engine for work: on the host's own queue, and on the common one for workflows. */
import type { DataConverter } from '@temporalio/common'
import {
  type ActivityInterceptorsFactory,
  type InjectedSinks,
  type NativeConnection,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker'
import { availableParallelism } from 'node:os'
import { failureInterceptor } from '../../activities/failures.js'
import { envelopeInterceptor } from '../../activities/sealing.js'
import { commonQueue, hostQueue } from '../../policy/ids.js'
import type { WorkflowSinks } from '../../workflows/sinks.js'
import { workflowCode } from './workflowCode.js'

/** A watch and a delivery for each of a thousand sessions, and short activities in addition. */
export const activitySlots = 2_500
/** Sessions whose workflows are kept in memory; the others are replayed from their (short) histories when needed. */
export const cachedWorkflows = 1_000
/**
 * Workflow tasks executed at a time. After a restart all workflows are replayed, and the engine times a task out after ten seconds:
 * with more tasks than the cores can carry, none would be done in time.
 */
export const workflowSlots = Math.max(4, 2 * availableParallelism())
/** Activities get this long to end by themselves when the worker stops. */
const shutdownGrace = '2s'

export interface PollersOptions {
  native: NativeConnection
  namespace: string
  hostId: string
  identity: string
  /** Seals what these pollers send, and opens what they receive. */
  dataConverter: DataConverter
  /** Default: as the build has bundled them. */
  workflowBundle?: WorkflowBundleOption
  hostActivities: object
  commonActivities: object
  sinks: InjectedSinks<WorkflowSinks>
  /** Goes around every activity of these pollers. */
  interceptor: ActivityInterceptorsFactory
}

export interface Pollers {
  /** Settles when all have stopped; rejects if one broke, in which case the others stop too. */
  done: Promise<void>
  isRunning(): boolean
  /** Stops polling, and cancels running activities after the grace period. */
  shutDown(): void
}

export interface ReadyPollers {
  /** Begins to poll. */
  run(): Pollers
}

export async function makePollers(options: PollersOptions): Promise<ReadyPollers> {
  const { native, namespace, hostId, identity, interceptor, dataConverter } = options
  const shared = {
    ...{ connection: native, namespace, identity, dataConverter, shutdownGraceTime: shutdownGrace },
    interceptors: { activity: [interceptor, envelopeInterceptor, failureInterceptor] },
  }
  const { workflowBundle = await workflowCode() } = options
  const workers = await Promise.all([
    Worker.create({
      ...{ ...shared, taskQueue: hostQueue(hostId), activities: options.hostActivities },
      maxConcurrentActivityTaskExecutions: activitySlots,
    }),
    Worker.create({
      ...{ ...shared, workflowBundle, taskQueue: commonQueue, activities: options.commonActivities },
      sinks: options.sinks,
      maxCachedWorkflows: cachedWorkflows,
      maxConcurrentWorkflowTaskExecutions: workflowSlots,
    }),
  ])
  const shutDown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown()
  }
  const run = (): Pollers => {
    const runs = workers.map((worker) =>
      worker.run().catch((error: unknown) => {
        shutDown()
        throw error
      }),
    )
    return {
      done: Promise.all(runs).then(() => undefined),
      isRunning: () => workers.every((worker) => worker.getState() === 'RUNNING'),
      shutDown,
    }
  }
  return { run }
}
