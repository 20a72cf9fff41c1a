/** The activities of a host's worker, wired to that host. */
import type { Client } from '@temporalio/client'
import { searchAttributes, sessionOfWorkflow } from '../policy/ids.js'
import { withHeartbeat } from './withHeartbeat.js'
import { readingToEngine } from '../host/state/engineInstants.js'
import { recordCarried } from './carriedEvents.js'
import type { CarriedEvents, CommonActivities, HostActivities, StopResult, StopRequest } from './contracts.js'
import { answerQuestion } from './session/answer.js'
import { deliverText } from './session/deliver.js'
import type { Host } from '../host/host.js'
import { interruptAgent } from './session/interrupt.js'
import { launchAgent } from './session/launch.js'
import type { LeaseBatcher } from './watch/leaseBatcher.js'
import { sendNotice } from './notices.js'
import type { Prober } from './accounts/probe.js'
import type { Sampler } from './watch/sampler.js'
import { stopAgent } from './session/stop.js'
import { queuePlannedWakeUp } from './session/plannedWakeUps.js'
import { watchAgent } from './watch/watch.js'

export function hostActivities(
  host: Host,
  sampler: Sampler,
  prober: Prober,
  leases: LeaseBatcher,
): HostActivities {
  const step = <T>({ session }: { session: string }, work: () => Promise<T>): Promise<T> =>
    withHeartbeat(() => host.moveLimiter.holdDuring(session, work))
  const record = (carried: CarriedEvents): void => recordCarried(host, carried)
  const stop = (request: StopRequest): Promise<StopResult> => {
    sampler.release(request.session, request.fence)
    return stopAgent(host, request)
  }
  return {
    launchAgent: (request) => {
      record(request)
      return step(request, async () => {
        const stopped = request.stop ? await stop(request.stop) : null
        const launched = await launchAgent(host, request)
        return { ...launched, steps: [...(stopped?.steps ?? []), ...launched.steps] }
      })
    },
    stopAgent: async (request) => {
      record(request)
      const stopped = await step(request, () => stop(request))
      if (request.endsMove) host.moveLimiter.release(request.session)
      return stopped
    },
    interruptAgent: (request) => withHeartbeat(() => interruptAgent(host, request)),
    requestFailback: ({ session, fence }) => {
      host.records.saveFailbackRequest(session, fence)
      return Promise.resolve()
    },
    watchAgent: (request) => {
      record(request)
      return watchAgent(host, sampler, request, { leaseBatcher: leases })
    },
    recordEvents: (request) => {
      record(request)
      return Promise.resolve()
    },
    deliverText: (request) => withHeartbeat(() => deliverText(host, sampler, request)),
    readAccounts: () => Promise.resolve(host.engineReadings()),
    queuePlannedWakeUp: (request) => withHeartbeat(() => queuePlannedWakeUp(host, sampler, request)),
    answerQuestion: (request) => withHeartbeat(() => answerQuestion(host, request)),
    sendNotice: (request) => withHeartbeat(() => sendNotice(host, request)),
    probeAccount: ({ account }) =>
      withHeartbeat(async () => readingToEngine(host.clock, await prober.probe(account))),
  }
}

export function commonActivities(client: Client): CommonActivities {
  return {
    listRunningSessions: async ({ host }) => {
      const onHost = host === undefined ? '' : ` AND ${searchAttributes.host} = '${host}'`
      const running = client.workflow.list({
        query: `WorkflowType = 'session' AND ExecutionStatus = 'Running' AND ${searchAttributes.phase} IS NOT NULL${onHost}`,
      })
      const names: string[] = []
      for await (const { workflowId } of running) {
        const name = sessionOfWorkflow(workflowId)
        if (name !== null) names.push(name)
      }
      return names
    },
  }
}
