/** What a resumed session is told, so that it goes on where it was and does nothing twice. Only what is true, or nothing. */
import type { PlaceRef } from './place.js'
import type { RescueCause } from './session.js'

/**
 * How the session's turn stood when its process ended. `wrapped-up`: near its limit, some accounts have the agent end its
 * turn politely with the work unfinished.
 */
export type TurnState = 'idle' | 'cut-off' | 'wrapped-up'

export interface ResumeContext {
  /** `pause`: a person had paused it. */
  situation: RescueCause | 'start' | 'pause'
  turn: TurnState
  on: PlaceRef['kind']
  /** Whether it is on another account than before. */
  isElsewhere: boolean
}

const noRepetition = 'do not repeat work that is already complete.'

const restarted = 'This session was interrupted and started again.'

/** On another account than before, and on the same. */
const situations: Readonly<Record<ResumeContext['situation'], { elsewhere: string; here: string }>> = {
  wall: {
    elsewhere: 'The usage limit was reached, and this session now runs on another account.',
    here: 'The usage limit was reached, and there is usage left again.',
  },
  'near-limit': {
    elsewhere: 'The usage limit was near, and this session now runs on another account.',
    here: restarted,
  },
  login: {
    elsewhere: 'The login was lost, and this session now runs on another account.',
    here: 'The login was lost, and is there again.',
  },
  crash: {
    elsewhere: 'The program ended unexpectedly and was started again.',
    here: 'The program ended unexpectedly and was started again.',
  },
  move: { elsewhere: 'This session was moved to another account.', here: restarted },
  home: {
    elsewhere: 'This session is back on its regular account.',
    here: 'This session is back on its regular account.',
  },
  wake: { elsewhere: 'This session was interrupted and now runs on another account.', here: restarted },
  start: { elsewhere: restarted, here: restarted },
  pause: {
    elsewhere: 'This session was paused, and goes on now on another account.',
    here: 'This session was paused, and goes on now.',
  },
}

const onFallback =
  'No account can take this session now, and for the time being it runs on a fallback. What you do here will be reported to it when it goes back.'

/** The prompt, or null where the session was idle: its turn was done, and a turn is not spent to say so. */
export function continuationPrompt({ situation, turn, on, isElsewhere }: ResumeContext): string | null {
  if (turn === 'idle') return null
  const { elsewhere, here } = situations[situation]
  const opening = on === 'substrate' ? onFallback : isElsewhere ? elsewhere : here
  if (turn === 'wrapped-up')
    return `${opening} If you stopped because of the limit, continue the task you were working on; ${noRepetition}`
  // A request that the limit refused was not carried out; whatever else ends a process may have cut a command off.
  const isWall = situation === 'wall'
  const check = isWall
    ? ''
    : ' A command that was running may have been cut off: check what took effect before you run it again.'
  const when = isWall ? 'when the limit was reached' : 'when you were interrupted'
  return `${opening} Continue the task you were working on ${when}; ${noRepetition}${check}`
}
