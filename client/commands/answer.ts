/** `outpool answer NAME CHOICE|TEXT` */
import { WorkflowNotFoundError } from '@temporalio/client'
import { z } from 'zod'
import { isUnanswered } from '../../config/engine/grpc.js'
import { openHome } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { type AnswerArgs, sessionUpdates } from '../../workflows/messages.js'
import { type CommandContext, print, printJson } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { findRunning, findSession, handleOf } from '../engine/session.js'
import { mergeLiveState } from '../sessions/sessionRows.js'

/** Keys are pressed one after the other, each when the effect of the last one is visible. */
const answerWithinMs = 60_000
/** An answer is typed into one line of the agent's screen. Characters. */
const answerMax = 2_000

const resultSchema = z.object({
  result: z.enum(['answered', 'gone', 'refused', 'unsure']),
  why: z.string().nullable(),
})
type Result = z.output<typeof resultSchema>

export async function answer(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const words = context.args.slice(1).join(' ').trim()
  if (words === '')
    throw new UsageError(
      'there is no answer',
      'give the number of a choice, or words; see the choices with `outpool show`',
    )
  if (words.length > answerMax)
    throw new UsageError(
      `the answer is longer than ${answerMax} characters`,
      'send the rest with `outpool send`',
    )
  const { result, why } = await withEngine(openHome(), async (engine) => {
    const digest = context.option('question') ?? (await currentDigest(engine, name))
    return submitAnswer(engine, name, { answer: words, digest })
  })
  if (result === 'refused')
    throw new UsageError(
      `${name} does not take that answer: ${why ?? 'see its choices'}`,
      `see its choices with \`outpool show ${name}\``,
    )
  if (result === 'gone')
    throw new FailedError(
      `${name} was not answered: ${why ?? 'it asks nothing'}`,
      `see what it does with \`outpool show ${name}\``,
    )
  if (result === 'unsure')
    throw new FailedError(
      `it is uncertain whether ${name} took the answer: ${why ?? 'its host did not say'}`,
      `check it with \`outpool attach ${name}\``,
    )
  if (context.json) printJson({ name, result })
  else print(`${name} has its answer`)
}

/** Digest of the question that this host's worker sees; null if the session runs on another host, whose workflow knows it. */
async function currentDigest(engine: Engine, name: string): Promise<string | null> {
  const home = openHome()
  const { card } = await findRunning(engine, name)
  return mergeLiveState(card, readLive(home), home, new Date()).question?.digest ?? null
}

async function submitAnswer(engine: Engine, name: string, args: AnswerArgs): Promise<Result> {
  try {
    const answered: unknown = await engine.within(answerWithinMs, () =>
      handleOf(engine, name).executeUpdate(sessionUpdates.answer, { args: [args] }),
    )
    return resultSchema.parse(answered)
  } catch (error) {
    if (isUnanswered(error))
      throw new FailedError(`no worker answers for ${name}`, 'start it with `outpool up`')
    if (!(error instanceof WorkflowNotFoundError)) throw error
    await findSession(engine, name)
    throw new FailedError(`session ${name} is stopped`, `bring it back with \`outpool resume ${name}\``)
  }
}
