/**
 * Starts or restarts a service: never beside a live process, and one that is well only if a person asks for it. Idempotent per
 * fence.
 */
import { existsSync } from 'node:fs'
import { withoutSecrets } from '../../config/secrets/known.js'
import { resolveEnv } from '../../config/secrets/resolve.js'
import type { ServiceConfig } from '../../config/config.js'
import type { Host } from '../../host/host.js'
import { writeLaunchScript } from '../../host/process/launchScript.js'
import { endProcess, processStart, type ProcessRef } from '../../host/process/processes.js'
import { runCommand } from '../../host/process/runCommand.js'
import type { ServiceStartResult, ServiceStartRequest } from './contracts.js'
import { launchMark, launchMarkVariable, servicePane } from './findProcess.js'
import { serviceRestarted } from './events.js'
import type { ServiceContext } from './serviceContext.js'
import { StopFailedError, WorkFolderMissingError } from '../errors.js'
import { FileRefusedError, StaleFenceError } from '../../host/errors.js'

/** How long a command that starts a service elsewhere may take, unless `timeout` says otherwise. */
const starterTimeout = 60_000
const starterOutputMax = 8_192
const evidenceLines = 60
/** Lines that one printed secret, such as a key file, may take. */
const linesOfSecret = 100

export async function startService(
  context: ServiceContext,
  request: ServiceStartRequest,
): Promise<ServiceStartResult> {
  const { records, incidents, host } = context
  const service = context.service(request.service)
  const result = await records.runExclusive(service.name, async () => {
    const record = records.read(service.name)
    if (request.fence < record.fence) throw new StaleFenceError(service.name, request.fence, record.fence)
    const check = await context.check(service)
    const isDone = record.fence === request.fence && check.process !== null
    const isNeeded =
      request.byHand === true || (request.incident === null ? check.process === null : check.isTrouble)
    if (isDone || !isNeeded || service.run === null)
      return { started: isDone, pid: check.process?.pid ?? null }
    const problem = host.programProblem(service.run, service.cwd)
    if (problem !== null) throw new FileRefusedError(problem)

    const { incident } = request
    if (incident !== null) {
      incidents.note(incident, 'watchdog', `${request.description}: ${check.why}`)
      const text = await paneOutput(context, service)
      if (text !== '') incidents.quote(incident, 'evidence', { title: request.description, text })
    }
    if (check.process !== null) await endOrThrow(context, service, check.process)
    const why =
      service.locator.by === 'own'
        ? await openPane(context, service, request.fence)
        : await runStarter(context, service, request.fence)
    if (incident !== null && why !== null) incidents.note(incident, 'service', why)
    return { started: true, pid: (await context.check(service)).process?.pid ?? null }
  })
  if (result.started) host.events.record(...serviceRestarted(request, result.pid))
  return result
}

/** Ends a service that Outpool started in a pane; one that is only watched is left alone. */
export async function retireService(context: ServiceContext, name: string): Promise<void> {
  const { records, host } = context
  await records.runExclusive(name, async () => {
    const { process } = records.read(name)
    const pane = await host.tmux.pane(servicePane(name))
    const start = pane !== null && !pane.dead ? await processStart(pane.pid) : null
    for (const ref of [process, pane !== null && start !== null ? { pid: pane.pid, start } : null])
      if (ref !== null && (await endProcess(ref, host.config.timing.stopGrace)) === false)
        throw new StopFailedError(ref.pid)
    if (pane !== null) await host.tmux.closePane(servicePane(name))
    records.forget(name)
  })
}

/** A unit belongs to systemd, whose restart command ends the old process as well. */
async function endOrThrow(
  { host }: ServiceContext,
  service: ServiceConfig,
  process: ProcessRef,
): Promise<void> {
  if (service.locator.by === 'unit') return
  if ((await endProcess(process, host.config.timing.stopGrace)) === false)
    throw new StopFailedError(process.pid)
}

async function openPane(
  { host, records }: ServiceContext,
  service: ServiceConfig,
  fence: number,
): Promise<null> {
  const { name, cwd, run } = service
  if (!existsSync(cwd)) throw new WorkFolderMissingError(cwd)
  const script = writeLaunchScript(records.folder(name), fence, {
    argv: run ?? [],
    cwd,
    env: {
      ...paneEnvironment(host),
      ...(await resolveEnv(service.env)),
      OUTPOOL_HOME: host.home.dir,
      OUTPOOL_CONFIG: host.config.file,
      OUTPOOL_SERVICE: name,
      ...(service.heartbeat ? { OUTPOOL_BEAT_FILE: service.heartbeat.file } : {}),
      [launchMarkVariable]: launchMark(name, fence),
    },
    pidVariable: 'OUTPOOL_SERVICE_PID',
  })
  // Recorded before anything runs: after a crash it is known that this fence may have a process in the pane.
  records.save(name, { fence, process: null })
  const argv = ['/bin/sh', script]
  const status = `outpool: guards ${name}`
  const pane = await host.tmux.spawn({ session: servicePane(name), fence, cwd, argv, status })
  const start = await processStart(pane.pid)
  if (start !== null) records.save(name, { fence, process: { pid: pane.pid, start } })
  return null
}

/** The terminal of a pane is tmux's, not the worker's. */
function paneEnvironment(host: Host): Record<string, string> {
  const env = host.programEnvironment()
  delete env['TERM']
  return env
}

/** Null if the command succeeded, else why it failed and what it printed last. */
async function runStarter(
  { host, records }: ServiceContext,
  service: ServiceConfig,
  fence: number,
): Promise<string | null> {
  const { name, cwd, run, timeout } = service
  records.save(name, { fence, process: null })
  const { ok, why, tail } = await runCommand({
    ...{ run: run ?? [], cwd, timeoutMs: timeout ?? starterTimeout },
    env: { ...host.programEnvironment(), ...(await resolveEnv(service.env)) },
    ...{ stopGraceMs: host.config.timing.stopGrace, maxOutputBytes: starterOutputMax, blockedBy: null },
  })
  return ok ? null : `the command that starts it failed: ${why ?? ''} ${tail.trim().slice(-300)}`
}

/** The last lines of the service's pane; empty for a service that Outpool did not start. */
async function paneOutput({ host }: ServiceContext, service: ServiceConfig): Promise<string> {
  if (service.locator.by !== 'own') return ''
  const pane = await host.tmux.pane(servicePane(service.name))
  if (pane === null) return ''
  // More lines than are kept, so that no secret is cut in two before it is removed.
  const output = await host.tmux.lastOutput(pane.id, evidenceLines + linesOfSecret)
  return withoutSecrets(output).split('\n').slice(-evidenceLines).join('\n')
}
