/** `outpool send NAME TEXT` */
import { randomUUID } from 'node:crypto'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { openHome } from '../../config/home.js'
import {
  type DeliveryQuery,
  type SendArgs,
  sessionQueries,
  sessionSignals,
} from '../../workflows/messages.js'
import { type Call, print } from '../call.js'
import { type Engine, isUnanswered, withEngine } from '../engine.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { findSession, handleOf, signalSession } from '../session.js'

/** The engine refuses payloads above 2 MB; a history full of such texts would be no use to anybody. */
const textMaxBytes = 512 * 1024
const pollMs = 300
const answerWithinMs = 5_000

export async function send(call: Call): Promise<void> {
  const name = checkName(call.arg(0, 'NAME'))
  const text = await textOf(call)
  const message: SendArgs = { id: randomUUID(), text }
  await withEngine(openHome(), async (engine) => {
    await signalSession(engine, name, sessionSignals.send, message)
    if (call.flag('wait')) await untilTaken(engine, name, message.id)
  })
  print(call.flag('wait') ? `${name} has taken it` : `accepted for ${name}`)
}

async function textOf(call: Call): Promise<string> {
  const words = call.args.slice(1)
  const text = words.length === 1 && words[0] === '-' ? await readAll(process.stdin) : words.join(' ')
  if (text.trim() === '')
    throw new UsageError('there is no text to send', 'write it after the name, or - to read it from stdin')
  if (Buffer.byteLength(text) > textMaxBytes)
    throw new UsageError(
      `the text is longer than ${textMaxBytes / 1024} KiB`,
      'save it as a file and send the agent its path',
    )
  return text
}

/** Waits as long as it takes: a parked session takes the text when it is up again. Throws FailedError when it stops. */
async function untilTaken(engine: Engine, name: string, id: DeliveryQuery): Promise<void> {
  for (;;) {
    if (await taken(engine, name, id)) return
    const { running } = await engine.within(answerWithinMs, () => findSession(engine, name))
    if (!running) {
      if (await taken(engine, name, id)) return
      throw new FailedError(
        `session ${name} stopped before it took the text`,
        `resume it with \`outpool resume ${name}\``,
      )
    }
    await sleep(pollMs)
  }
}

/** No answer means that no worker is there now: one will be. */
async function taken(engine: Engine, name: string, id: DeliveryQuery): Promise<boolean> {
  try {
    const answer: unknown = await engine.within(answerWithinMs, () =>
      handleOf(engine, name).query(sessionQueries.delivered, id),
    )
    return answer === true
  } catch (error) {
    if (isUnanswered(error)) return false
    throw error
  }
}
