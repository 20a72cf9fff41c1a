/** `outpool send NAME TEXT` */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { openHome } from '../../config/state/home.js'
import {
  type DeliveryQuery,
  type SendArgs,
  sessionQueries,
  sessionSignals,
} from '../../workflows/messages.js'
import { type CommandContext, print } from '../commandContext.js'
import { type Engine, isUnanswered, withEngine } from '../engine/engine.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { validateText, readTextFromFile, readTextFromStream } from '../sentText.js'
import { findSession, handleOf, signalSession } from '../engine/session.js'

const pollMs = 300
const answerWithinMs = 5_000

const stateSchema = z.object({ taken: z.boolean(), problem: z.string().nullable() })

export async function send(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const text = await readMessage(context)
  const message: SendArgs = { id: randomUUID(), text, ...(context.flag('command') ? { command: true } : {}) }
  await withEngine(openHome(), async (engine) => {
    await signalSession(engine, name, sessionSignals.send, message)
    if (context.flag('wait')) await untilTaken(engine, name, message.id)
  })
  print(context.flag('wait') ? `${name} has taken it` : `accepted for ${name}`)
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
