/** What the activities on services share: the host, records, incidents, and one check at a time for each service. */
import type { ServiceConfig } from '../../config/config.js'
import { isTrouble } from '../../policy/service/service.js'
import type { Host } from '../../host/host.js'
import { IncidentStore } from '../../host/state/incidentStore.js'
import { serviceBusy } from './events.js'
import { runCheck, type CheckResult } from './runCheck.js'
import { ServiceRecords } from '../../host/state/serviceRecords.js'
import { UnknownServiceError } from '../errors.js'

export type ServiceCheck = CheckResult & { isTrouble: boolean }

export class ServiceContext {
  readonly host: Host
  readonly records: ServiceRecords
  readonly incidents: IncidentStore
  readonly #running = new Map<string, Promise<ServiceCheck>>()
  readonly #listeners = new Map<string, Set<(check: ServiceCheck) => void>>()

  constructor(host: Host) {
    this.host = host
    this.records = new ServiceRecords(host.home)
    this.incidents = new IncidentStore(host.home)
  }

  /** Throws UnknownService. */
  service(name: string): ServiceConfig {
    const service = this.host.config.services.find((one) => one.name === name)
    if (!service) throw new UnknownServiceError(name)
    return service
  }

  /** An instant of a workflow in this host's clock, with which signs of life are compared. Milliseconds since the epoch. */
  hostTime(instant: string): number {
    return Date.parse(this.host.clock.toHost(instant))
  }

  /** A call during a running check shares its result. Every listener gets it too. */
  check(service: ServiceConfig): Promise<ServiceCheck> {
    const running = this.#running.get(service.name)
    if (running) return running
    const checking = runCheck(this.host, this.records, service)
      .then((seen) => ({ ...seen, isTrouble: isTrouble(seen.verdict) }))
      .finally(() => this.#running.delete(service.name))
    this.#running.set(service.name, checking)
    return checking.then((seen) => {
      const { staleSince } = seen.memory
      if (seen.verdict === 'busy' && staleSince !== null)
        this.host.events.record(serviceBusy(service.name, staleSince, seen.why))
      for (const listener of this.#listeners.get(service.name) ?? []) listener(seen)
      return seen
    })
  }

  /** Calls the listener after every check of the service. Returns the function that unsubscribes it. */
  onCheck(service: string, listener: (check: ServiceCheck) => void): () => void {
    const listeners = this.#listeners.get(service) ?? new Set()
    this.#listeners.set(service, listeners)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
}
