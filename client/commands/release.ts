/** `outpool release NAME`: the session leaves Outpool's care, and its process goes on. */
import { isUnanswered } from '../../config/engine/grpc.js'
import { openHome } from '../../config/state/home.js'
import { sessionSignals } from '../../workflows/messages.js'
import { type CommandContext, print, printJson, printNotice } from '../commandContext.js'
import { withEngine } from '../engine/engine.js'
import { type FinalState, finalState } from '../engine/finalState.js'
import { findRunning, signalSession } from '../engine/session.js'
import { FailedError } from '../errors.js'
import { checkName } from '../names.js'

/** A release is done in moments; the order itself is durable. */
const doneWithinMs = 30_000

export async function release(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const ended = await withEngine(openHome(), async (engine) => {
    const { card } = await findRunning(engine, name)
    if (card.substrate !== null)
      throw new FailedError(
        `${name} is on ${card.substrate}, a fallback, where it works on a copy of its conversation`,
        'release it when it is back on an account, or move it to one with `outpool move`',
      )
    await signalSession(engine, name, sessionSignals.release)
    try {
      return await engine.within(doneWithinMs, () => finalState(engine, name))
    } catch (error) {
      if (isUnanswered(error)) return null
      throw error
    }
  })
  const released = ended?.released
  if (released === undefined) {
    print(`release was accepted for ${name}, but is not done yet; see: outpool show ${name}`)
    return
  }
  if (context.json) printJson(released)
  else print(linesFor(name, released).join('\n'))
  const undelivered = ended?.undelivered.texts.length ?? 0
  if (undelivered > 0) printNotice(`${undelivered} texts that were sent to ${name} did not reach the agent`)
}

function linesFor(
  name: string,
  { tmuxSession, tmuxSocket, resume }: NonNullable<FinalState['released']>,
): string[] {
  if (tmuxSession === null)
    return [`${name} is released; no process runs. Resume its conversation with:`, resume]
  return [
    `${name} is released, and its process goes on. Reach it with:`,
    `tmux -S ${tmuxSocket} attach -t =${tmuxSession}`,
    'When it has ended, resume its conversation with:',
    resume,
  ]
}
