/** `outpool wait NAME`: returns when the session is at rest, or with its next answer. */
import { openHome } from '../../config/state/home.js'
import { parseDuration } from '../../config/schema/units.js'
import { type CommandContext, print } from '../commandContext.js'
import { withEngine } from '../engine/engine.js'
import { checkIsLocal, untilAtRest } from '../engine/rest.js'
import { findRunning } from '../engine/session.js'
import { UsageError } from '../errors.js'
import { checkName } from '../names.js'

export async function wait(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const wantsAnswer = context.flag('answer')
  if (wantsAnswer && context.flag('idle'))
    throw new UsageError('both --idle and --answer are given', 'give only one of them')
  const until = Date.now() + timeoutOf(context)
  const since = Date.now()
  const home = openHome()
  const { answer } = await withEngine(home, async (engine) => {
    const { card } = await findRunning(engine, name)
    checkIsLocal(card, home, 'run `outpool wait` there')
    const isNew = (at: string): boolean => Date.parse(at) >= since
    return engine.within(until - since + maxLate, () =>
      untilAtRest(context, engine, home, name, {
        until,
        isEnough: (turn) => !wantsAnswer || (turn.answer !== null && isNew(turn.answer.at)),
      }),
    )
  })
  print(wantsAnswer && answer !== null ? answer.text : `${name} is idle`)
}

/** Time for the last look. Milliseconds. */
const maxLate = 60_000

/** Milliseconds; without --timeout longer than anyone waits. Throws UsageError. */
function timeoutOf(context: CommandContext): number {
  const given = context.option('timeout')
  if (given === null) return 365 * 24 * 3_600_000
  const timeout = parseDuration(given)
  if (timeout !== null) return timeout
  throw new UsageError(`--timeout cannot be ${JSON.stringify(given)}`, 'write a duration such as 10m')
}
