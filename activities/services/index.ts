/** The activities on guarded services, wired to their host. */
import { incidentReport } from '../../host/state/incidentReport.js'
import { withHeartbeat } from '../withHeartbeat.js'
import type { Host } from '../../host/host.js'
import type { Sampler } from '../watch/sampler.js'
import type { ServiceActivities } from './contracts.js'
import { serviceBack } from './events.js'
import { prepareWakeUp } from './prepareWakeUp.js'
import { ServiceContext } from './serviceContext.js'
import { retireService, startService } from './start.js'
import { verifyService } from './verify.js'
import { endWakeUp, watchWakeUp } from './wakeUp.js'
import { awaitServiceRecovery, checkService, watchService } from './watch.js'

export function serviceActivities(host: Host, sampler: Sampler): ServiceActivities {
  const context = new ServiceContext(host)
  const { incidents } = context
  return {
    watchService: (request) => withHeartbeat(() => watchService(context, request)),
    checkService: ({ service }) => withHeartbeat(() => checkService(context, service)),
    startService: (request) => withHeartbeat(() => startService(context, request)),
    retireService: ({ service }) => withHeartbeat(() => retireService(context, service)),
    awaitServiceRecovery: (request) => withHeartbeat(() => awaitServiceRecovery(context, request)),
    prepareWakeUp: (request) => withHeartbeat(() => prepareWakeUp(context, request)),
    watchWakeUp: (request) => withHeartbeat(() => watchWakeUp(context, sampler, request)),
    endWakeUp: (request) => withHeartbeat(() => endWakeUp(context, sampler, request)),
    verifyService: (request) => withHeartbeat(() => verifyService(context, request)),
    noteIncident: ({ incident, what }) => {
      incidents.note(incident, 'wake-up', `${notified(host)}: ${what}`)
      return Promise.resolve()
    },
    closeIncident: ({ incident: n, outcome, description }) => {
      incidents.close(n, outcome, description, outcome === 'healed' ? 'check' : 'watchdog')
      const incident = incidents.read(n)
      if (outcome !== 'given-up') host.events.record(...serviceBack(incident))
      return Promise.resolve(
        incident === null ? '' : incidentReport(incident, new Date().toISOString(), 'without-quotes'),
      )
    },
  }
}

/** Said as it is: without a channel the incident waits until a person looks. */
function notified({ config }: Host): string {
  const channels = config.notices.to.map(({ name }) => name)
  return channels.length === 0
    ? 'no notice is configured, so no person was notified'
    : `a person is notified through ${channels.join(', ')}`
}
