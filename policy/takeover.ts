/** Whether an `outpool up` may end the one that runs already, and take its place. */
import { reaches } from './versions.js'

export interface Running {
  /** Of Outpool; null if it was not recorded, as by versions that are older than every other. */
  version: string | null
  /** Whether a service manager starts it again when it ends. */
  isService: boolean
}

/** `held`: the running one stays. `newer`: it is newer than this one. `service`: its manager would start it again. */
export type Takeover = 'take-over' | 'held' | 'newer' | 'service'

/** A newer version takes over without being asked to; an equal one only if a person asks for it; an older one never does. */
export function takeover(running: Running, own: string, isAsked: boolean): Takeover {
  const isOlder = running.version === null || !reaches(running.version, own)
  if (!isOlder && !reaches(own, running.version ?? '')) return isAsked ? 'newer' : 'held'
  if (!isOlder && !isAsked) return 'held'
  return running.isService ? 'service' : 'take-over'
}
