/** The activity that watches one service while all is well, and returns when something has happened. It only reads. */
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { ServiceConfig } from '../../config/config.js'
import { hasRecovered } from '../../policy/service/judgement.js'
import type { Trouble } from '../../policy/service/service.js'
import { isAlive } from '../../host/process/processes.js'
import { TimeLimit } from '../../host/timeLimit.js'
import type {
  AwaitRecoveryRequest,
  ServiceStatus,
  ServiceObservation,
  ServiceWatchRequest,
} from './contracts.js'
import { serviceBack, serviceTrouble } from './events.js'
import { checkRules } from './runCheck.js'
import type { ServiceCheck, ServiceContext } from './serviceContext.js'

/** Checking whether a process is alive is cheap, so a service that ended is noticed before its next check is due. */
const livenessPollEvery = 2_000
/** A watch ends by itself after about a day, so that the workflow above it can pick up new code. */
const rolloverAfter = 24 * 60 * 60_000
/** How often a service is checked that should recover. */
const recoveryPollEvery = 3_000

export async function watchService(
  context: ServiceContext,
  request: ServiceWatchRequest,
): Promise<ServiceObservation> {
  const { cancellationSignal: signal } = Context.current()
  const service = context.service(request.service)
  const startedAt = Date.now()
  const latest: { check: ServiceCheck | null } = { check: null }
  const unsubscribe = context.onCheck(service.name, (check) => (latest.check = check))
  try {
    for (;;) {
      // A check that someone else requested meanwhile is used like the watch's own.
      const seen = latest.check ?? (await context.check(service))
      latest.check = null
      const observation = toServiceObservation(context, service, request, seen)
      if (observation !== null) return observation
      if (Date.now() - startedAt > rolloverAfter) return { kind: 'rollover' }
      await untilNextCheck(
        context,
        service,
        seen,
        () => latest.check !== null,
        request.incident !== null,
        signal,
      )
    }
  } finally {
    unsubscribe()
  }
}

function toServiceObservation(
  context: ServiceContext,
  service: ServiceConfig,
  { reportTrouble, incident, since }: ServiceWatchRequest,
  check: ServiceCheck,
): ServiceObservation | null {
  const { incidents, host } = context
  if (
    incident !== null &&
    hasRecovered(check, check.process, checkRules(service), check.at, context.hostTime(since))
  ) {
    incidents.close(incident, 'recovered', `well again: ${check.why}`, 'watchdog')
    host.events.record(...serviceBack(incidents.read(incident)))
    return { kind: 'back' }
  }
  if (!check.isTrouble || !reportTrouble) return null
  const { verdict, why, memory } = check
  const sign = { at: memory.staleSince ?? new Date(check.at).toISOString(), layer: 'watchdog' as const }
  const { n } = incidents.open(service.name, memory.wellAt, { ...sign, what: `${verdict}: ${why}` })
  const trouble = verdict as Trouble
  host.events.record(serviceTrouble(service.name, n, trouble, why))
  return { kind: 'trouble', verdict: trouble, why, incident: n }
}

/** Returns when the next check is due, another check has been made, or the process has ended. */
async function untilNextCheck(
  { records }: ServiceContext,
  service: ServiceConfig,
  check: ServiceCheck,
  hasNewCheck: () => boolean,
  isAwaited: boolean,
  signal: AbortSignal,
): Promise<void> {
  const next = new TimeLimit(isAwaited ? recoveryPollEvery : check.nextCheckAt - Date.now())
  while (!next.isOver && !hasNewCheck()) {
    await delay(Math.min(livenessPollEvery, Math.max(next.left, 1)), undefined, { signal })
    if (service.locator.by !== 'own' || check.process === null) continue
    const { process } = records.read(service.name)
    if (process !== null && !(await isAlive(process))) return
  }
}

/** Returns once the service has recovered by itself. */
export async function awaitServiceRecovery(
  context: ServiceContext,
  { service: name, since }: AwaitRecoveryRequest,
): Promise<void> {
  const { cancellationSignal: signal } = Context.current()
  await untilRecovered(context, context.service(name), context.hostTime(since), Infinity, signal)
}

/** False if it did not recover within so many ms. */
export async function untilRecovered(
  context: ServiceContext,
  service: ServiceConfig,
  since: number,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const limit = new TimeLimit(withinMs)
  for (;;) {
    const check = await context.check(service)
    if (hasRecovered(check, check.process, checkRules(service), check.at, since)) return true
    if (limit.isOver) return false
    await delay(Math.min(recoveryPollEvery, Math.max(limit.left, 1)), undefined, { signal })
  }
}

export async function checkService(context: ServiceContext, name: string): Promise<ServiceStatus> {
  const { verdict, why, process, memory, nextCheckAt } = await context.check(context.service(name))
  const pid = process?.pid ?? null
  return { verdict, why, pid, lastBeat: memory.beat, nextCheckAt: new Date(nextCheckAt).toISOString() }
}
