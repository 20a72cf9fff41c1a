/** The identity of a host's worker, which the engine records for each activity and lists for each queue. */
import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { machineFingerprint } from '../../config/state/hostId.js'

/** The process id is for people, since it repeats, in a container with every start; the random part identifies the run. */
const run = `${process.pid}.${randomBytes(6).toString('hex')}`

/** A clone of a machine may have the same machine id, but hardly the same hostname too. */
const machine = createHash('sha256')
  .update(`${machineFingerprint()} ${hostname()}`)
  .digest('hex')
  .slice(0, 16)

/**
 * The identity of this process's worker for the host. `part`: which of its sets of pollers, if it has more than one
 * (standInPollers.ts).
 */
export const workerIdentity = (hostId: string, part = 0): string =>
  `${run}.${machine}${part === 0 ? '' : `+${part}`}@${hostId}`

/** Whether a poller or a started activity belongs to this process. */
export const isOurs = (identity: string, hostId: string): boolean =>
  identity.startsWith(`${run}.${machine}`) && identity.endsWith(`@${hostId}`)

/** Whether it belongs to this machine: to us or to an earlier worker, since only one worker at a time holds a home. */
export const isOfThisMachine = (identity: string, hostId: string): boolean =>
  new RegExp(`^\\d+\\.[0-9a-f]{12}\\.${machine}(\\+\\d+)?$`).test(identity.slice(0, -`@${hostId}`.length)) &&
  identity.endsWith(`@${hostId}`)
