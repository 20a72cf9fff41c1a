/** What asks the engine for work: of the host's own queue, and of the common one for workflows. */
import {
  type ActivityInterceptorsFactory,
  type NativeConnection,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { failureInterceptor } from '../../activities/failures.js'
import { commonQueue, hostQueue } from '../../policy/ids.js'

/** A watch and a delivery for each of a thousand sessions, and the short steps besides. */
export const activitySlots = 2_500
/** Sessions whose workflows are kept in memory; the others are replayed from their (short) histories when needed. */
export const cachedWorkflows = 1_000
/**
 * Workflows that are carried on at the same time. After a restart all are made anew from their histories, and the engine
 * takes a task away that is not done in ten seconds: more at once than the cores can carry would none of them get done, however often.
 */
export const workflowSlots = Math.max(4, 2 * availableParallelism())
/** What is under way gets this long to end by itself when the worker stops. */
const shutdownGrace = '2s'

export interface PollersOptions {
  native: NativeConnection
  namespace: string
  hostId: string
  identity: string
  hostActivities: object
  commonActivities: object
  /** Goes around every activity of these pollers. */
  interceptor: ActivityInterceptorsFactory
}

export interface Pollers {
  /** Settles when all have stopped; rejects where one broke, and the others stop then. */
  done: Promise<void>
  isRunning(): boolean
  /** Stops asking, and lets go of what is under way. */
  shutDown(): void
}

export interface ReadyPollers {
  /** Begins to ask. */
  run(): Pollers
}

export async function makePollers(options: PollersOptions): Promise<ReadyPollers> {
  const { native, namespace, hostId, identity, interceptor } = options
  const shared = {
    ...{ connection: native, namespace, identity, shutdownGraceTime: shutdownGrace },
    interceptors: { activity: [interceptor, failureInterceptor] },
  }
  const workers = await Promise.all([
    Worker.create({
      ...{ ...shared, taskQueue: hostQueue(hostId), activities: options.hostActivities },
      maxConcurrentActivityTaskExecutions: activitySlots,
    }),
    Worker.create({
      ...{ ...shared, ...workflowCode(), taskQueue: commonQueue, activities: options.commonActivities },
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

/** The bundle is made at build time; from a checkout that was not built, the worker bundles for itself. */
function workflowCode(): { workflowBundle: WorkflowBundleOption } | { workflowsPath: string } {
  const bundle = fileURLToPath(new URL('../../workflows/bundle.js', import.meta.url))
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } }
  return { workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)) }
}
