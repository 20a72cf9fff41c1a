/** The prompts that tell an agent to go on where it was, without repeating completed work. */
import type { PlaceRef } from '../../policy/session/place.js'
import type { RescueCause } from '../../policy/session/session.js'

/**
 * The state of the session's turn when its process ended. `wrapped-up`: near the limit of an account, an agent may end its turn
 * in good order with the work unfinished.
 */
export type TurnState = 'idle' | 'cut-off' | 'wrapped-up'

export interface ResumeContext {
  /** `pause`: a person had paused it. */
  situation: RescueCause | 'start' | 'pause'
  turn: TurnState
  on: PlaceRef['kind']
  /** Whether the session is on another place than before. */
  isElsewhere: boolean
}

const noRepetition = 'do not repeat work that is already complete.'

const restarted = 'This session was interrupted and started again.'

/** `elsewhere`: on another account than before. `here`: on the same one. */
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

/** The prompt, or null if the session was idle: its turn was done, and no turn is spent to say so. */
export function continuationPrompt({ situation, turn, on, isElsewhere }: ResumeContext): string | null {
  if (turn === 'idle') return null
  const { elsewhere, here } = situations[situation]
  const opening = on === 'substrate' ? onFallback : isElsewhere ? elsewhere : here
  if (turn === 'wrapped-up')
    return `${opening} If you stopped because of the limit, continue the task you were working on; ${noRepetition}`
  // The limit refuses a request before it is carried out. Anything else that ends a process may cut off a command.
  const isWall = situation === 'wall'
  const check = isWall
    ? ''
    : ' A command that was running may have been cut off: check what took effect before you run it again.'
  const when = isWall ? 'when the limit was reached' : 'when you were interrupted'
  return `${opening} Continue the task you were working on ${when}; ${noRepetition}${check}`
}

/** After a turn that failed on something transient: the agent program has given up retrying. */
export const retryText = `The last request failed on a temporary error. Continue the task you were working on; ${noRepetition}`

/** After a request that got no answer and was interrupted. */
export const interruptedText = `Your last request got no answer and was broken off. Continue the task you were working on; ${noRepetition}`
