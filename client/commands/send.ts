/** `outpool send NAME TEXT` */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isUnanswered } from '../../config/engine/grpc.js'
import { type Home, openHome } from '../../config/state/home.js'
import {
  type DeliveryQuery,
  type SendArgs,
  sessionQueries,
  sessionSignals,
} from '../../workflows/messages.js'
import { type CommandContext, print } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { validateText, readTextFromFile, readTextFromStream } from '../orders/sentText.js'
import { findSession, handleOf, signalSession } from '../engine/session.js'
import { checkIsLocal, untilAtRest } from '../engine/rest.js'
import { sendText } from '../orders/texts.js'

const pollMs = 300
const answerWithinMs = 5_000
/** Longer than any turn, its moves and parks included. */
const longestTurnMs = 365 * 24 * 3_600_000

const stateSchema = z.object({ taken: z.boolean(), problem: z.string().nullable() })

export async function send(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const text = await readMessage(context)
  const message: SendArgs = { id: randomUUID(), text, ...(context.flag('command') ? { command: true } : {}) }
  const home = openHome()
  const result = await withEngine(home, async (engine) => {
    if (wantsAnswer(context))
      checkIsLocal((await findSession(engine, name)).card, home, 'use --taken instead')
    if (!context.flag('wait') && !context.flag('taken')) return sendText(engine, home, name, message)
    const sentAt = Date.now()
    await signalSession(engine, name, sessionSignals.send, message)
    await untilTaken(engine, name, message.id)
    return wantsAnswer(context) ? answerTo(context, engine, home, name, sentAt) : `${name} has taken it`
  })
  print(result)
}

/** A command of the agent program has no answer: it is done when it was taken. */
const wantsAnswer = (context: CommandContext): boolean => context.flag('wait') && !context.flag('command')

/** The answer that ends the turn of the text. Throws FailedError if that ends without one. */
async function answerTo(
  context: CommandContext,
  engine: Engine,
  home: Home,
  name: string,
  sentAt: number,
): Promise<string> {
  const { answer } = await engine.within(longestTurnMs, () =>
    untilAtRest(context, engine, home, name, { until: Infinity, isEnough: () => true }),
  )
  if (answer !== null && Date.parse(answer.at) >= sentAt) return answer.text
  throw new FailedError(
    `${name} took the text, and its turn ended without an answer`,
    `see \`outpool attach ${name}\``,
  )
}

async function readMessage(context: CommandContext): Promise<string> {
  const words = context.args.slice(1)
  const file = context.option('file')
  if (file !== null && words.length > 0)
    throw new UsageError('both a text and a file are given', 'give only one of them')
  if (file !== null) return checkCommand(context, await readTextFromFile(file))
  if (words.length === 1 && words[0] === '-')
    return checkCommand(context, await readTextFromStream(process.stdin))
  return checkCommand(context, validateText(words.join(' ')))
}

function checkCommand(context: CommandContext, text: string): string {
  if (!context.flag('command')) return text
  if (!/^\s*\/\S+/.test(text) || text.trim().includes('\n'))
    throw new UsageError(
      'the text is not a command of the agent',
      'write a command as one line, such as /compact',
    )
  if (/^\s*\/(?:exit|quit)\s*$/.test(text))
    throw new UsageError('this command ends the agent', `use \`outpool stop ${context.argument(0, 'NAME')}\``)
  return text
}

/** Waits as long as it takes: a parked session takes the text when it runs again. Throws FailedError if it stops instead. */
async function untilTaken(engine: Engine, name: string, id: DeliveryQuery): Promise<void> {
  for (;;) {
    if (await isTaken(engine, name, id)) return
    const { running } = await engine.within(answerWithinMs, () => findSession(engine, name))
    if (!running) {
      if (await isTaken(engine, name, id)) return
      throw new FailedError(
        `session ${name} stopped before it took the text`,
        `resume it with \`outpool resume ${name}\``,
      )
    }
    await sleep(pollMs)
  }
}

/** False if no worker answers now. Throws FailedError if the text waits for a person. */
async function isTaken(engine: Engine, name: string, id: DeliveryQuery): Promise<boolean> {
  try {
    const answer: unknown = await engine.within(answerWithinMs, () =>
      handleOf(engine, name).query(sessionQueries.deliveryState, id),
    )
    const { taken, problem } = stateSchema.parse(answer)
    if (problem !== null)
      throw new FailedError(`${name} did not take it: ${problem}`, `see \`outpool show ${name}\``)
    return taken
  } catch (error) {
    if (isUnanswered(error)) return false
    throw error
  }
}
