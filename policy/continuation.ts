/** What a resumed session is told, so that it goes on where it was and does nothing twice. */
import type { PlaceRef } from './place.js'
import type { RescueCause } from './session.js'

/**
 * How the session's turn stood when its process ended. `wrapped-up`: near its limit, some accounts have the agent end its
 * turn politely with the work unfinished.
 */
export type TurnEnd = 'idle' | 'cut-off' | 'wrapped-up'

const goOn = 'do not repeat work that is already complete.'

const situations: Readonly<Record<RescueCause, string>> = {
  wall: 'The usage limit was reached, and this session now runs on another account.',
  'near-limit': 'The usage limit was near, and this session now runs on another account.',
  login: 'The login was lost, and this session now runs on another account.',
  crash: 'The program ended unexpectedly and was started again.',
  move: 'This session was moved to another account.',
  home: 'This session is back on its regular account.',
  wake: 'The usage limit has reset.',
}

const onFallback =
  'No account of this session has usage left, and for the time being it runs on a fallback. What you do here will be reported to it when it goes back.'

/** The prompt, or null where the session was idle: its turn was done, and a turn is not spent to say so. */
export function continuation(
  cause: RescueCause,
  turn: TurnEnd,
  on: PlaceRef['kind'] = 'account',
): string | null {
  if (turn === 'idle') return null
  const situation = on === 'account' ? situations[cause] : onFallback
  if (turn === 'wrapped-up')
    return `${situation} If you stopped because of the limit, continue the task you were working on; ${goOn}`
  const check =
    cause === 'wall' || cause === 'wake'
      ? ''
      : ' A command that was running may have been cut off: check what took effect before you run it again.'
  const when =
    cause === 'wall' || cause === 'wake' ? 'when the limit was reached' : 'when you were interrupted'
  return `${situation} Continue the task you were working on ${when}; ${goOn}${check}`
}
