/** Checks the service after the woken agent's turn. During an escalation, only this activity starts the service. */
import { Context } from '@temporalio/activity'
import { resolveEnv } from '../../config/secrets/resolve.js'
import type { ServiceConfig } from '../../config/config.js'
import { runCommand } from '../../host/process/runCommand.js'
import type { VerifyResult, VerifyRequest } from './contracts.js'
import type { ServiceContext } from './serviceContext.js'
import { startService } from './start.js'
import { untilRecovered } from './watch.js'

const outputMax = 4_096

/** Idempotent: there is one start per fence, and a second check changes nothing. */
export async function verifyService(context: ServiceContext, request: VerifyRequest): Promise<VerifyResult> {
  const { incidents } = context
  const { incident } = request
  const verified = await runVerification(context, request)
  incidents.note(incident, 'check', verified.well ? 'agreed: it is well' : `disagreed: ${verified.why}`)
  return verified
}

async function runVerification(context: ServiceContext, request: VerifyRequest): Promise<VerifyResult> {
  const service = context.service(request.service)
  const { cancellationSignal: signal } = Context.current()
  const { fence, incident } = request
  const heartbeatWithin = service.wakeUp?.heartbeatWithin ?? service.every
  // A service that the agent has mended is still missing, or still hangs, until it is started.
  await startService(context, {
    service: service.name,
    fence,
    incident,
    description: 'started after the agent was done',
  })
  if (!(await untilRecovered(context, service, context.hostTime(request.since), heartbeatWithin, signal))) {
    const { verdict, why } = await context.check(service)
    return { well: false, why: `${verdict}: ${why}` }
  }
  return checkByCommand(context, service)
}

async function checkByCommand({ host }: ServiceContext, service: ServiceConfig): Promise<VerifyResult> {
  const { wakeUp } = service
  if (wakeUp?.verify == null) return { well: true, why: 'its own signs of life are back' }
  const { ok, why, tail } = await runCommand({
    ...{ run: wakeUp.verify, cwd: wakeUp.cwd },
    env: { ...host.programEnvironment(), ...(await resolveEnv(wakeUp.env)) },
    ...{
      timeoutMs: wakeUp.verifyTimeout,
      stopGraceMs: host.config.timing.stopGrace,
      maxOutputBytes: outputMax,
    },
    blockedBy: host.programProblem(wakeUp.verify, wakeUp.cwd),
  })
  return ok
    ? { well: true, why: 'its own signs of life are back, and verify succeeded' }
    : { well: false, why: `verify failed: ${why ?? ''}; ${tail.trim().slice(-200)}` }
}
