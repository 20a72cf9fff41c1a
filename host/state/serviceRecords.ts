/** The durable record of a service that this host starts: the newest fence and the process. Read before anything is started or ended. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../config/state/readJson.js'
import type { Home } from '../../config/state/home.js'
import { serviceFolder } from '../../config/state/serviceFiles.js'
import { writeFileAtomic } from './atomicFile.js'
import { KeyedQueue } from './keyedQueue.js'

const recordSchema = z.object({
  fence: z.number().int(),
  /** Null after the start was recorded, until the process is known. */
  process: z.object({ pid: z.number().int(), start: z.string() }).nullable(),
})
export type ServiceRecord = z.output<typeof recordSchema>

const noRecord: ServiceRecord = { fence: 0, process: null }

export class ServiceRecords {
  readonly #home: Home
  readonly #queue = new KeyedQueue()

  constructor(home: Home) {
    this.#home = home
  }

  folder(service: string): string {
    const folder = serviceFolder(this.#home, service)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }

  /** A broken record counts as missing: the pane and its mark still identify the process. */
  read(service: string): ServiceRecord {
    return readJson(this.#file(service), recordSchema) ?? noRecord
  }

  save(service: string, record: ServiceRecord): void {
    this.folder(service)
    writeFileAtomic(this.#file(service), JSON.stringify(record))
  }

  forget(service: string): void {
    rmSync(serviceFolder(this.#home, service), { recursive: true, force: true })
  }

  /** Steps on one service run one after the other, even those of attempts that the engine has given up. */
  runExclusive<T>(service: string, step: () => Promise<T>): Promise<T> {
    return this.#queue.run(service, step)
  }

  #file(service: string): string {
    return join(serviceFolder(this.#home, service), 'record.json')
  }
}
