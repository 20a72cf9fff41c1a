/** The activities of a host's worker, wired to that host. */
import type { Client } from '@temporalio/client'
import { searchAttributes } from '../policy/ids.js'
import { beating } from './withHeartbeat.js'
import { readingToEngine } from '../host/state/engineInstants.js'
import type { CommonActivities, HostActivities, Stopped, StopRequest } from './contracts.js'
import { answerQuestion } from './session/answer.js'
import { deliverText } from './session/deliver.js'
import type { Host } from '../host/host.js'
import { interruptAgent } from './session/interrupt.js'
import { launchAgent } from './session/launch.js'
import type { LeaseDesk } from './watch/leaseBatcher.js'
import { sendNotice } from './notices.js'
import type { Prober } from './accounts/probe.js'
import type { Sampler } from './watch/sampler.js'
import { stopAgent } from './session/stop.js'
import { claimWakeUp } from './session/wakeUps.js'
import { watchAgent } from './watch/watch.js'

export function hostActivities(
  host: Host,
  sampler: Sampler,
  prober: Prober,
  leases: LeaseDesk,
): HostActivities {
  const step = <T>({ session }: { session: string }, work: () => Promise<T>): Promise<T> =>
    beating(() => host.rescues.during(session, work))
  const stop = (request: StopRequest): Promise<Stopped> => {
    sampler.release(request.session, request.fence)
    return stopAgent(host, request)
  }
  return {
    launchAgent: (request) =>
      step(request, async () => {
        const stopped = request.stop ? await stop(request.stop) : null
        const launched = await launchAgent(host, request)
        return { ...launched, steps: [...(stopped?.steps ?? []), ...launched.steps] }
      }),
    stopAgent: async (request) => {
      const stopped = await step(request, () => stop(request))
      if (request.rests) host.rescues.leave(request.session)
      return stopped
    },
    interruptAgent: (request) => beating(() => interruptAgent(host, request)),
    callHome: ({ session, fence }) => {
      host.records.saveCall(session, fence)
      return Promise.resolve()
    },
    watchAgent: (request) => watchAgent(host, sampler, request, leases),
    deliverText: (request) => beating(() => deliverText(host, sampler, request)),
    readAccounts: () => Promise.resolve(host.tellReadings()),
    claimWakeUp: (request) => beating(() => claimWakeUp(host, sampler, request)),
    answerQuestion: (request) => beating(() => answerQuestion(host, request)),
    sendNotice: (request) => beating(() => sendNotice(host, request)),
    probeAccount: ({ account }) =>
      beating(async () => readingToEngine(host.clock, await prober.probe(account))),
  }
}

export function commonActivities(client: Client): CommonActivities {
  return {
    listLiveSessions: async () => {
      const running = client.workflow.list({
        query: `WorkflowType = 'session' AND ExecutionStatus = 'Running' AND ${searchAttributes.phase} IS NOT NULL`,
      })
      const names: string[] = []
      for await (const { workflowId } of running) names.push(workflowId.slice('session/'.length))
      return names
    },
  }
}
