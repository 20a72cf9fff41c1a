/** `outpool beat NAME`: the heartbeat of a service that is a script or not a Node.js program. */
import { loadConfig } from '../../config/load/load.js'
import { beat as writeBeat } from '../beat.js'
import type { CommandContext } from '../commandContext.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { unknownServiceError } from '../engine/services.js'

export function beat(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'), 'service')
  const doing = context.option('doing')
  const file = fileOf(name, context)
  const isWritten = writeBeat(name, { file, pid: pidOf(name, context), ...(doing === null ? {} : { doing }) })
  if (!isWritten)
    throw new FailedError(
      `the heartbeat ${file} cannot be written`,
      'make sure that its folder exists and its disk has space',
    )
  return Promise.resolve()
}

/** From the environment inside a service that Outpool started, else from the configuration. */
function fileOf(name: string, context: CommandContext): string {
  const { OUTPOOL_SERVICE, OUTPOOL_BEAT_FILE } = process.env
  if (OUTPOOL_SERVICE === name && OUTPOOL_BEAT_FILE !== undefined) return OUTPOOL_BEAT_FILE
  const { services } = loadConfig({ path: context.config })
  const service = services.find((one) => one.name === name)
  if (service === undefined) throw unknownServiceError(name, services)
  if (service.heartbeat !== null) return service.heartbeat.file
  throw new FailedError(`service ${name} has no heartbeat`, 'name a file under heartbeat in outpool.yaml')
}

/** By default the process that ran this command, which itself ends at once. */
function pidOf(name: string, context: CommandContext): number {
  const given = context.option('pid')
  const { OUTPOOL_SERVICE, OUTPOOL_SERVICE_PID } = process.env
  const pid = given ?? (OUTPOOL_SERVICE === name ? OUTPOOL_SERVICE_PID : undefined) ?? String(process.ppid)
  if (/^[1-9]\d{0,8}$/.test(pid)) return Number(pid)
  throw new UsageError(`${JSON.stringify(pid)} is not a process id`, 'give the process id of the service')
}
