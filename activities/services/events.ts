/**
 * The events of a guarded service. Their ids are made from incidents and fences, which outlive a worker: a step that is carried out
 * again gives the same event, which the host records once.
 */
import type { EventDraft } from '../../config/events/schema.js'
import type { Incident } from '../../policy/service/incident.js'
import type { Trouble } from '../../policy/service/service.js'
import type { ServiceStartRequest } from './contracts.js'

const now = (): string => new Date().toISOString()

export function serviceTrouble(service: string, incident: number, verdict: Trouble, why: string): EventDraft {
  const id = `service/${service}/${incident}/${verdict}`
  return { id, at: now(), kind: `service-${verdict}`, service, incident, why }
}

/** None for an incident that is not known. */
export function serviceBack(incident: Incident | null): EventDraft[] {
  if (incident === null) return []
  const { n, service, openedAt, closedAt } = incident
  const at = closedAt ?? now()
  const afterMs = Math.max(0, Date.parse(at) - Date.parse(openedAt))
  return [{ id: `service/${service}/${n}/back`, at, kind: 'service-back', service, incident: n, afterMs }]
}

/** `since`: when its heartbeat was first seen to be stale. */
export const serviceBusy = (service: string, since: string, why: string): EventDraft => ({
  ...{ id: `service/${service}/busy/${since}`, at: now(), kind: 'service-busy', service, why },
})

/** None for the first start. */
export function serviceRestarted(
  { service, incident, fence, description: attempt, byHand }: ServiceStartRequest,
  pid: number | null,
): EventDraft[] {
  if (incident === null && byHand !== true) return []
  const id = `service/${service}/restarted/${fence}`
  return [{ id, at: now(), kind: 'service-restarted', service, incident, attempt, pid }]
}

export const escalationStarted = (service: string, incident: number): EventDraft => ({
  ...{ id: `escalation/${service}/${incident}/started`, at: now(), kind: 'escalation-started' },
  ...{ service, incident },
})
