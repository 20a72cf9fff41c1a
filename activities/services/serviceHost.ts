/** What the steps on services share: the host, the records, the book of incidents, and one look at a time for each service. */
import type { ServiceConfig } from '../../config/config.js'
import { isTrouble } from '../../policy/service/service.js'
import type { Host } from '../../host/host.js'
import { IncidentBook } from '../../host/state/incidents.js'
import { look, type Look } from './observe.js'
import { ServiceRecords } from '../../host/state/serviceRecords.js'
import { UnknownServiceError } from '../errors.js'

export type SeenLook = Look & { isTrouble: boolean }

export class ServiceHost {
  readonly host: Host
  readonly records: ServiceRecords
  readonly incidents: IncidentBook
  readonly #looking = new Map<string, Promise<SeenLook>>()
  readonly #listeners = new Map<string, Set<(look: SeenLook) => void>>()

  constructor(host: Host) {
    this.host = host
    this.records = new ServiceRecords(host.home)
    this.incidents = new IncidentBook(host.home)
  }

  /** Throws UnknownService. */
  service(name: string): ServiceConfig {
    const service = this.host.config.services.find((one) => one.name === name)
    if (!service) throw new UnknownServiceError(name)
    return service
  }

  /** Whoever asks while a look is under way shares it; everybody who listens is told what it saw. */
  look(service: ServiceConfig): Promise<SeenLook> {
    const running = this.#looking.get(service.name)
    if (running) return running
    const looking = look(this.host, this.records, service)
      .then((seen) => ({ ...seen, isTrouble: isTrouble(seen.verdict) }))
      .finally(() => this.#looking.delete(service.name))
    this.#looking.set(service.name, looking)
    return looking.then((seen) => {
      for (const listener of this.#listeners.get(service.name) ?? []) listener(seen)
      return seen
    })
  }

  /** Told of every look at the service until the answer is called. */
  listen(service: string, listener: (look: SeenLook) => void): () => void {
    const listeners = this.#listeners.get(service) ?? new Set()
    this.#listeners.set(service, listeners)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
}
