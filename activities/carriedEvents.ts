/** Records the events that a step of a workflow has carried to this host. */
import type { Host } from '../host/host.js'
import { eventToHost } from '../host/state/engineInstants.js'
import type { CarriedEvents } from './contracts.js'

export const recordCarried = ({ events: store, clock }: Host, { events = [] }: CarriedEvents): void =>
  store.record(...events.map((event) => eventToHost(clock, event)))
