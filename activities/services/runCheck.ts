/** One check of a service: finds its process, reads its heartbeat, runs the busy check if needed, and records the result. */
import type { ServiceConfig } from '../../config/config.js'
import { lastCheckFile, type LastCheckFile, readLastCheck } from '../../config/state/serviceFiles.js'
import { resolveEnv } from '../../config/secrets/resolve.js'
import {
  type ServiceJudgement,
  judgeService,
  type CheckRules,
  needsBusyCheck,
  emptyMemory,
  type ServiceObservation,
} from '../../policy/service/judgement.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import { reasonBeatBlocked, readBeat } from './beatFile.js'
import { runBusyCheck } from './busyCheck.js'
import { findServiceProcess } from './findProcess.js'
import type { ServiceRecords } from '../../host/state/serviceRecords.js'
import { log } from '../../host/log.js'
import { messageOf } from '../../policy/errorFacts.js'

export interface CheckResult extends ServiceJudgement {
  process: ServiceObservation['process']
  at: number
}

export const checkRules = ({
  name,
  every,
  heartbeat,
  busyCheck,
  timeout,
  locator: found,
}: ServiceConfig): CheckRules => ({
  ...{ service: name, every, heartbeat, busyCheck },
  // `timeout` bounds the run of a service that Outpool started. For others it bounds the command that starts them.
  timeout: found.by === 'own' ? timeout : null,
})

/** Never throws: the verdict of a check that failed is `blind`, which kills nothing. */
export async function runCheck(
  host: Host,
  records: ServiceRecords,
  service: ServiceConfig,
): Promise<CheckResult> {
  const lastCheck = readLastCheck(host.home, service.name)
  const memory = lastCheck?.memory ?? emptyMemory
  const rules = checkRules(service)
  const now = Date.now()
  let observation: ServiceObservation = {
    now,
    sleptMs: host.suspendClock(),
    process: null,
    ended: null,
    beat: null,
    beatBlocked: null,
    work: null,
  }
  let sizes: LastCheckFile['sizes'] = null
  let judged: ServiceJudgement
  try {
    const { heartbeat } = service
    // The heartbeat is read first: one that is written during the search for the process counts at the next check.
    const beat = heartbeat === null ? null : await readBeat(heartbeat.file)
    const blocked = heartbeat === null ? null : await reasonBeatBlocked(heartbeat.file)
    const { process, exitReason: ended } = await findServiceProcess(host, records, service)
    observation = { ...observation, process, ended, beat, beatBlocked: blocked }
    if (needsBusyCheck(observation, memory, rules)) {
      const work = await confirmBusy(host, service, lastCheck?.sizes ?? null, now)
      sizes = work?.sizes ?? null
      observation = { ...observation, work }
    }
    judged = judgeService(observation, memory, rules)
  } catch (error) {
    const why = `it could not be checked: ${messageOf(error)}`
    judged = { verdict: 'blind', why, memory, nextCheckAt: now + Math.min(rules.every, recheckBlindAfter) }
  }
  saveCheck(host, records, service.name, { ...judged, process: observation.process, at: now }, sizes)
  return { ...judged, process: observation.process, at: now }
}

const recheckBlindAfter = 60_000

async function confirmBusy(host: Host, service: ServiceConfig, before: LastCheckFile['sizes'], now: number) {
  const { busyCheck, cwd } = service
  if (busyCheck === null) return null
  const env = { ...host.programEnvironment(), ...(await resolveEnv(service.env)) }
  const blockedBy = host.programProblem(busyCheck.run ?? [], cwd)
  const { stopGrace: stopGraceMs } = host.config.timing
  return runBusyCheck(busyCheck, before, { cwd, env, stopGraceMs, now, blockedBy })
}

function saveCheck(
  host: Host,
  records: ServiceRecords,
  service: string,
  { verdict, why, memory, nextCheckAt, process, at }: CheckResult,
  sizes: LastCheckFile['sizes'],
): void {
  records.folder(service)
  const [iso, nextIso] = [new Date(at).toISOString(), new Date(nextCheckAt).toISOString()]
  const file: LastCheckFile = {
    ...{ at: iso, verdict, why, nextCheckAt: nextIso, pid: process?.pid ?? null, memory, sizes },
  }
  try {
    writeFileAtomic(lastCheckFile(host.home, service), JSON.stringify(file))
  } catch (error) {
    // A full disk must not stop the watchdog. Its memory is older then, which does not get anything killed.
    log.error({ err: error }, `the check of service ${service} could not be recorded`)
  }
}
