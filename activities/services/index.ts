/** The activities on guarded services, wired to their host. */
import { incidentReport } from '../../policy/service/incident.js'
import { beating } from '../withHeartbeat.js'
import type { Host } from '../../host/host.js'
import type { Sampler } from '../watch/sampler.js'
import type { ServiceActivities } from './contracts.js'
import { prepareWakeUp } from './prepareWakeUp.js'
import { ServiceHost } from './serviceHost.js'
import { retireService, startService } from './start.js'
import { verifyService } from './verify.js'
import { endWakeUp, watchWakeUp } from './wakeUp.js'
import { awaitService, lookAtService, watchService } from './watch.js'

export function serviceActivities(host: Host, sampler: Sampler): ServiceActivities {
  const side = new ServiceHost(host)
  const { incidents } = side
  return {
    watchService: (request) => beating(() => watchService(side, request)),
    lookAtService: ({ service }) => beating(() => lookAtService(side, service)),
    startService: (request) => beating(() => startService(side, request)),
    retireService: ({ service }) => beating(() => retireService(side, service)),
    awaitService: (request) => beating(() => awaitService(side, request)),
    prepareWakeUp: (request) => beating(() => prepareWakeUp(side, request)),
    watchWakeUp: (request) => beating(() => watchWakeUp(side, sampler, request)),
    endWakeUp: (request) => beating(() => endWakeUp(side, sampler, request)),
    verifyService: (request) => beating(() => verifyService(side, request)),
    noteIncident: ({ incident, layer, what }) => {
      incidents.note(incident, layer, what)
      return Promise.resolve()
    },
    closeIncident: ({ incident: n, outcome, says }) => {
      incidents.close(n, outcome, says, outcome === 'healed' ? 'check' : 'watchdog')
      const incident = incidents.read(n)
      return Promise.resolve(
        incident === null ? '' : incidentReport(incident, new Date().toISOString(), 'without-quotes'),
      )
    },
  }
}
