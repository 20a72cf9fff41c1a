/** One look at a service: finds its process, reads its beat, takes the second look where it is needed, and writes down what came of it. */
import type { ServiceConfig } from '../../config/config.js'
import { lastCheckFile, type LastCheckFile, readLastCheck } from '../../config/state/serviceFiles.js'
import { resolveEnv } from '../../config/secrets/resolve.js'
import {
  type Judged,
  judgeLook,
  type LookRules,
  needsSecondLook,
  noMemory,
  type Seen,
} from '../../policy/service/verdict.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import { beatBlocked, readBeat } from './beatFile.js'
import { lookForWork } from './busyCheck.js'
import { findService } from './find.js'
import type { ServiceRecords } from '../../host/state/serviceRecords.js'

export interface Look extends Judged {
  process: Seen['process']
  at: number
}

export const rulesOf = ({ name, every, heartbeat, busyCheck, timeout, locator: found }: ServiceConfig): LookRules => ({
  ...{ service: name, every, heartbeat, busyCheck },
  // What others started is theirs to bound; there, `timeout` bounds the command that starts it.
  timeout: found.by === 'own' ? timeout : null,
})

/** Never throws for what it finds; a look that fails is blind, and so kills nothing. */
export async function look(host: Host, records: ServiceRecords, service: ServiceConfig): Promise<Look> {
  const before = readLastCheck(host.home, service.name)
  const memory = before?.memory ?? noMemory
  const rules = rulesOf(service)
  const now = Date.now()
  let seen: Seen = {
    now,
    asleep: host.asleep(),
    process: null,
    ended: null,
    beat: null,
    beatBlocked: null,
    work: null,
  }
  let sizes: LastCheckFile['sizes'] = null
  let judged: Judged
  try {
    const { heartbeat } = service
    // The beat first: one that comes while its process is looked for is there at the next look.
    const beat = heartbeat === null ? null : await readBeat(heartbeat.file)
    const blocked = heartbeat === null ? null : await beatBlocked(heartbeat.file)
    const { process, ended } = await findService(host, records, service)
    seen = { ...seen, process, ended, beat, beatBlocked: blocked }
    if (needsSecondLook(seen, memory, rules)) {
      const work = await secondLook(host, service, before?.sizes ?? null, now)
      sizes = work?.sizes ?? null
      seen = { ...seen, work }
    }
    judged = judgeLook(seen, memory, rules)
  } catch (error) {
    const why = `it could not be looked at: ${error instanceof Error ? error.message : String(error)}`
    judged = { verdict: 'blind', why, memory, nextLookAt: now + Math.min(rules.every, blindLookAfter) }
  }
  save(host, records, service.name, { ...judged, process: seen.process, at: now }, sizes)
  return { ...judged, process: seen.process, at: now }
}

const blindLookAfter = 60_000

async function secondLook(host: Host, service: ServiceConfig, before: LastCheckFile['sizes'], now: number) {
  const { busyCheck, cwd } = service
  if (busyCheck === null) return null
  const env = await resolveEnv(service.env)
  return lookForWork(busyCheck, before, { cwd, env, stopGraceMs: host.config.timing.stopGrace, now })
}

function save(
  host: Host,
  records: ServiceRecords,
  service: string,
  { verdict, why, memory, nextLookAt, process, at }: Look,
  sizes: LastCheckFile['sizes'],
): void {
  records.folder(service)
  const [iso, nextIso] = [new Date(at).toISOString(), new Date(nextLookAt).toISOString()]
  const file: LastCheckFile = {
    ...{ at: iso, verdict, why, nextLookAt: nextIso, pid: process?.pid ?? null, memory, sizes },
  }
  try {
    writeFileAtomic(lastCheckFile(host.home, service), JSON.stringify(file))
  } catch (error) {
    // A full disk must not stop the watchdog; what it remembers is older then, and nothing is killed for that.
    console.error(`outpool: the look at ${service} could not be written down:`, error)
  }
}
