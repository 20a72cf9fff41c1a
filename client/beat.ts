/**
 * `import { beat } from 'outpool/beat'`: a service writes its heartbeat. Imports nothing of Outpool, so that it costs a service
 * nothing, and never throws: a service must not fail because its heartbeat cannot be written.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'

export interface BeatOptions {
  /** What the service is doing, in a few words; shown by `outpool services`. */
  doing?: string
  /** Default: `OUTPOOL_BEAT_FILE`, which a service that Outpool starts finds in its environment. */
  file?: string
  /** The process whose heartbeat this is, by default this one. It has to belong to the service. */
  pid?: number
}

/** Writes `{ by, pid, at, doing? }` atomically. False if that failed. */
export function beat(service: string, options: BeatOptions = {}): boolean {
  const { doing, file = process.env['OUTPOOL_BEAT_FILE'], pid = process.pid } = options
  if (file === undefined || file === '') return false
  const fresh = `${file}.${process.pid}.new`
  try {
    const content = {
      by: service,
      pid,
      at: new Date().toISOString(),
      ...(doing === undefined ? {} : { doing }),
    }
    writeFileSync(fresh, `${JSON.stringify(content)}\n`, { mode: 0o600 })
    renameSync(fresh, file)
    return true
  } catch {
    rmSync(fresh, { force: true })
    return false
  }
}
