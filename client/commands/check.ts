/** `outpool check SERVICE`: checks it now, and exits with 0 if the service is well or busy. */
import { WorkflowNotFoundError } from '@temporalio/client'
import { z } from 'zod'
import { isUnanswered } from '../../config/engine/grpc.js'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import { watchdogWorkflowId } from '../../policy/ids.js'
import { serviceStates } from '../../policy/service/service.js'
import { watchdogUpdates } from '../../workflows/messages.js'
import { type CommandContext, print, printJson } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { FailedError } from '../errors.js'
import { checkName } from '../names.js'
import { notGuardedError } from '../engine/services.js'

/** A busy check may go through many files or run a program for half a minute. */
const answerWithinMs = 45_000

const checkedSchema = z.object({
  verdict: z.enum(['well', 'busy', 'blind', 'missing', 'frozen']),
  why: z.string(),
  service: z.object({
    name: z.string(),
    state: z.enum(serviceStates),
    pid: z.number().int().nullable(),
    lastBeat: z.object({ by: z.string(), at: z.string(), doing: z.string().nullable() }).nullable(),
    restarts: z.number().int(),
    incident: z.number().int().nullable(),
    nextCheckAt: z.string().nullable(),
  }),
})
type CheckResult = z.output<typeof checkedSchema>

export async function check(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'SERVICE'), 'service')
  const { services } = loadConfig({ path: context.config })
  const answer = await withEngine(openHome(), async (engine) => {
    try {
      return await requestCheck(engine, name)
    } catch (error) {
      throw error instanceof WorkflowNotFoundError ? notGuardedError(name, services) : error
    }
  })
  const { verdict, why, service } = answer
  if (context.json) printJson({ ...service, verdict, why })
  else print(`${name} is ${verdict === 'blind' ? 'impossible to judge' : verdict}: ${why}`)
  if (verdict !== 'well' && verdict !== 'busy') process.exitCode = 1
}

async function requestCheck(engine: Engine, name: string): Promise<CheckResult> {
  try {
    const answer: unknown = await engine.within(answerWithinMs, () =>
      engine.client.workflow.getHandle(watchdogWorkflowId(name)).executeUpdate(watchdogUpdates.check),
    )
    return checkedSchema.parse(answer)
  } catch (error) {
    if (!isUnanswered(error)) throw error
    throw new FailedError(`no worker answers for ${name}`, 'start it with `outpool up`')
  }
}
