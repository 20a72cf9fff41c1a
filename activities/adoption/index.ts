/** The activities of adoption and release, wired to a host. */
import type { Host } from '../../host/host.js'
import { recordCarried } from '../carriedEvents.js'
import { withHeartbeat } from '../withHeartbeat.js'
import type { Sampler } from '../watch/sampler.js'
import { awaitAdoption } from './await.js'
import type { AdoptionActivities } from './contracts.js'
import { returnAgent } from './giveBack.js'
import { releaseAgent } from './release.js'
import { settleAdoption } from './settle.js'

export const adoptionActivities = (host: Host, sampler: Sampler): AdoptionActivities => ({
  awaitAdoption: (request) => withHeartbeat(() => awaitAdoption(host, request)),
  returnAgent: (request) => withHeartbeat(() => returnAgent(host, request)),
  settleAdoption: (request) => withHeartbeat(() => settleAdoption(host, request)),
  releaseAgent: (request) => {
    recordCarried(host, request)
    sampler.release(request.session, request.fence)
    return withHeartbeat(() => releaseAgent(host, request))
  },
})
