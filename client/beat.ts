/**
 * `import { beat } from 'outpool/beat'`: a service says that it lives. Imports nothing of Outpool, so that it costs a service
 * nothing, and never throws: a heartbeat that cannot be written is no reason to fall over.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'

export interface BeatOptions {
  /** What it is at, in a few words; shown by `outpool services`. */
  doing?: string
  /** Default: `OUTPOOL_BEAT_FILE`, which a service that Outpool starts finds in its environment. */
  file?: string
  /** The process that beats, default this one. It has to belong to the service. */
  pid?: number
}

/** Writes `{ by, pid, at, doing? }`, whole or not at all. False where it could not be written. */
export function beat(service: string, options: BeatOptions = {}): boolean {
  const { doing, file = process.env['OUTPOOL_BEAT_FILE'], pid = process.pid } = options
  if (file === undefined || file === '') return false
  const fresh = `${file}.${process.pid}.new`
  try {
    const said = { by: service, pid, at: new Date().toISOString(), ...(doing === undefined ? {} : { doing }) }
    writeFileSync(fresh, `${JSON.stringify(said)}\n`, { mode: 0o600 })
    renameSync(fresh, file)
    return true
  } catch {
    rmSync(fresh, { force: true })
    return false
  }
}
