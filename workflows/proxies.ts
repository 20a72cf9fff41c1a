/** One proxy per retry policy. Which host a step runs on is part of the proxy, since a step belongs to a host. */
import { proxyActivities } from '@temporalio/workflow'
import { commonQueue, hostQueue } from '../policy/ids.js'
import type { AdoptionActivities } from '../activities/adoption/contracts.js'
import type { CommonActivities, DrillActivities, HostActivities } from '../activities/contracts.js'
import type { ServiceActivities } from '../activities/services/contracts.js'
import type { TaskActivities } from '../activities/tasks/contracts.js'

/** The engine notices a dead worker by missing heartbeats, and hands its steps out again after this. */
const heartbeatTimeout = '10 seconds'

/**
 * Watches and deliveries are many, so that each heartbeats seldom. No session has to wait for this timeout: a worker that
 * starts again reassigns the activities of the worker before it at once (worker/connection/reassignActivities.ts).
 */
const watchHeartbeatTimeout = '5 minutes'

/** Retries end only with success: a step marks the failures that no retry can repair as not retryable. */
const retryForever = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '10 seconds',
} as const

/** Steps that have to succeed: no process may be started before the old one has ended. */
export const sessionStepsOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'stopAgent' | 'interruptAgent' | 'readAccounts' | 'requestFailback'>>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout,
    retry: retryForever,
  })

/** Launches under one place, idempotent per fence. If they keep failing, the next place is tried. */
export const launchesOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'launchAgent'>>({
    taskQueue: hostQueue(hostId),
    // In a herd of hundreds a launch waits until it is its turn on the host.
    startToCloseTimeout: '1 hour',
    heartbeatTimeout,
    retry: { ...retryForever, maximumAttempts: 5 },
  })

/** Watches and deliveries, which run for as long as nothing happens. */
export const watchesOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'watchAgent' | 'deliverText' | 'queuePlannedWakeUp'>>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '30 days',
    heartbeatTimeout: watchHeartbeatTimeout,
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
  })

/** Steps of an adoption or a release. The wait for the end of a turn runs for as long as the turn. */
export const adoptionsOn = (hostId: string) =>
  proxyActivities<AdoptionActivities>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '30 days',
    heartbeatTimeout,
    retry: retryForever,
  })

/** A person waits for the result. Tried once more if its worker died: the host knows whether the answer was given. */
export const answersOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'answerQuestion'>>({
    taskQueue: hostQueue(hostId),
    scheduleToCloseTimeout: '2 minutes',
    startToCloseTimeout: '1 minute',
    heartbeatTimeout,
    retry: { maximumAttempts: 2 },
  })

/** If a probe does not succeed in this time, the account stays unproven. */
export const probesOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'probeAccount'>>({
    taskQueue: hostQueue(hostId),
    scheduleToCloseTimeout: '2 minutes',
    startToCloseTimeout: '1 minute',
    heartbeatTimeout,
    retry: { maximumAttempts: 2 },
  })

/** A host that is away gets the events with a later step. */
export const eventsOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'recordEvents'>>({
    taskQueue: hostQueue(hostId),
    scheduleToCloseTimeout: '1 minute',
    startToCloseTimeout: '10 seconds',
    retry: retryForever,
  })

/** The last step of a workflow, which has no later one: a host that comes back within a day still records the event. */
export const lastEventsOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'recordEvents'>>({
    taskQueue: hostQueue(hostId),
    scheduleToCloseTimeout: '1 day',
    startToCloseTimeout: '10 seconds',
    retry: retryForever,
  })

/** Not retried here: the pool sends a notice again, and knows which channels have taken it. */
export const noticesOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'sendNotice'>>({
    taskQueue: hostQueue(hostId),
    scheduleToCloseTimeout: '10 minutes',
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout,
    retry: { maximumAttempts: 1 },
  })

/** Steps on a service. They have to succeed: a service that was ended has to be started again. */
export const serviceStepsOn = (hostId: string) =>
  proxyActivities<
    Pick<
      ServiceActivities,
      | 'checkService'
      | 'startService'
      | 'retireService'
      | 'prepareWakeUp'
      | 'endWakeUp'
      | 'noteIncident'
      | 'closeIncident'
    >
  >({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout,
    retry: retryForever,
  })

/** Steps of a drill, such as the wait for its session to reach a stage: at most for as long as the drill may take. */
export const drillsOn = (hostId: string, within: number) =>
  proxyActivities<DrillActivities>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: within + 60_000,
    heartbeatTimeout,
    retry: retryForever,
  })

/** Watches of a service, or of the agent that was woken for it, which run for as long as nothing happens. */
export const serviceWatchesOn = (hostId: string) =>
  proxyActivities<
    Pick<ServiceActivities, 'watchService' | 'awaitServiceRecovery' | 'watchWakeUp' | 'verifyService'>
  >({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '30 days',
    heartbeatTimeout,
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
  })

/** Not retried: it is not known what a task did before its worker died. The next run does it again. */
export const taskRunsOn = (hostId: string) =>
  proxyActivities<Pick<TaskActivities, 'runProgram'>>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '30 days',
    heartbeatTimeout,
    retry: { maximumAttempts: 1 },
  })

/** Steps of a task that may be repeated at any time. */
export const taskStepsOn = (hostId: string) =>
  proxyActivities<Pick<TaskActivities, 'pollMail' | 'prepareAgentTask' | 'saveAnswer'>>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '30 days',
    heartbeatTimeout,
    retry: { ...retryForever, maximumAttempts: 3 },
  })

export const commonActivities = proxyActivities<CommonActivities>({
  taskQueue: commonQueue,
  startToCloseTimeout: '1 minute',
  retry: retryForever,
})
