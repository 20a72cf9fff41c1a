/** One proxy per retry policy. Which host a step runs on is part of the proxy, since a step belongs to a host. */
import { proxyActivities } from '@temporalio/workflow'
import { commonQueue, hostQueue } from '../policy/ids.js'
import type { CommonActivities, DrillActivities, HostActivities } from '../activities/contracts.js'
import type { ServiceActivities } from '../activities/services/contracts.js'
import type { TaskActivities } from '../activities/tasks/contracts.js'

/** A step that its worker left behind is handed out again after this: dead workers are noticed by missing beats. */
const heartbeatTimeout = '10 seconds'

/**
 * Watches and deliveries are many, so that each beats seldom. Nobody waits for this: a worker that comes back hands out
 * again at once what the one before it has left behind (worker/connection/reassignActivities.ts).
 */
const watchHeartbeatTimeout = '5 minutes'

/** What a retry can mend is retried for as long as it takes; what it cannot is marked as such by the step itself. */
const retryForever = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '10 seconds',
} as const

/** Steps that have no other way out than to succeed: nothing may be started beside what was not stopped. */
export const sessionStepsOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'stopAgent' | 'interruptAgent' | 'readAccounts' | 'requestFailback'>>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout,
    retry: retryForever,
  })

/** Steps towards one account, idempotent per fence. Where they keep failing, the next account is tried instead. */
export const launchesOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'launchAgent'>>({
    taskQueue: hostQueue(hostId),
    // In a herd of hundreds a launch waits until it is its turn on the host.
    startToCloseTimeout: '1 hour',
    heartbeatTimeout,
    retry: { ...retryForever, maximumAttempts: 5 },
  })

/** Watches and deliveries: they stand for as long as nothing happens. */
export const watchesOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'watchAgent' | 'deliverText' | 'queuePlannedWakeUp'>>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '30 days',
    heartbeatTimeout: watchHeartbeatTimeout,
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
  })

/** A person waits for it. Done once more where its worker died: the host knows whether the answer was given. */
export const answersOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'answerQuestion'>>({
    taskQueue: hostQueue(hostId),
    scheduleToCloseTimeout: '2 minutes',
    startToCloseTimeout: '1 minute',
    heartbeatTimeout,
    retry: { maximumAttempts: 2 },
  })

/** A probe that does not succeed within this is an answer too: the account stays unproven. */
export const probesOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'probeAccount'>>({
    taskQueue: hostQueue(hostId),
    scheduleToCloseTimeout: '2 minutes',
    startToCloseTimeout: '1 minute',
    heartbeatTimeout,
    retry: { maximumAttempts: 2 },
  })

/** A notice that is not taken is tried again by the pool, which remembers the channels that have it. */
export const noticesOn = (hostId: string) =>
  proxyActivities<Pick<HostActivities, 'sendNotice'>>({
    taskQueue: hostQueue(hostId),
    scheduleToCloseTimeout: '10 minutes',
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout,
    retry: { maximumAttempts: 1 },
  })

/** Steps on a service. They are retried for as long as it takes: a service that was ended has to be started again. */
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

/** The looks of a drill stand until its session has come to where it should, at most for as long as the drill may take. */
export const drillsOn = (hostId: string, within: number) =>
  proxyActivities<DrillActivities>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: within + 60_000,
    heartbeatTimeout,
    retry: retryForever,
  })

/** What stands on a service, or on the agent that was woken for it, for as long as nothing happens. */
export const serviceWatchesOn = (hostId: string) =>
  proxyActivities<
    Pick<ServiceActivities, 'watchService' | 'awaitServiceRecovery' | 'watchWakeUp' | 'verifyService'>
  >({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '30 days',
    heartbeatTimeout,
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
  })

/** What a task did before its worker died is not known: it is not done again, but comes again with the next run. */
export const taskRunsOn = (hostId: string) =>
  proxyActivities<Pick<TaskActivities, 'runProgram'>>({
    taskQueue: hostQueue(hostId),
    startToCloseTimeout: '30 days',
    heartbeatTimeout,
    retry: { maximumAttempts: 1 },
  })

/** Steps of a task that may be done again at any time. */
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
