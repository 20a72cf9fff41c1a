/** Who polls for a host: what the engine writes down of each step that it hands out, and tells of each queue. */
import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { machineFingerprint } from '../../config/state/hostId.js'

/** A process id comes again, in a container with every start: it is there for people, and the random part tells runs apart. */
const run = `${process.pid}.${randomBytes(6).toString('hex')}`

/** Clones of a machine may have its id, and hardly its name as well. */
const machine = createHash('sha256')
  .update(`${machineFingerprint()} ${hostname()}`)
  .digest('hex')
  .slice(0, 16)

/**
 * The identity of this process's worker for the host. `part`: which of its sets of pollers, where it has more than one
 * (standIn.ts).
 */
export const workerIdentity = (hostId: string, part = 0): string =>
  `${run}.${machine}${part === 0 ? '' : `+${part}`}@${hostId}`

/** Whether a poller or a begun step is of this very process. */
export const isOurs = (identity: string, hostId: string): boolean =>
  identity.startsWith(`${run}.${machine}`) && identity.endsWith(`@${hostId}`)

/** Whether it is of this machine: of us, or of a worker before us, since one worker at a time holds a home. */
export const isOfThisMachine = (identity: string, hostId: string): boolean =>
  new RegExp(`^\\d+\\.[0-9a-f]{12}\\.${machine}(\\+\\d+)?$`).test(identity.slice(0, -`@${hostId}`.length)) &&
  identity.endsWith(`@${hostId}`)
