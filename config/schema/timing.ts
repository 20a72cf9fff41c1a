/** `timing:` of `outpool.yaml`: how often, how long and how many times. */
import { type Timing, defaultTiming } from '../../policy/account/account.js'
import { formatDuration } from './units.js'
import { count, duration, section, withMessage } from './values.js'

/** `ls` considers what a worker saw out of date after three times this. */
const pollEveryMax = 10_000
const defaultDuration = (key: keyof Timing) => formatDuration(defaultTiming[key])

export const timing = section({
  probeEvery: duration()
    .prefault(defaultDuration('probeEvery'))
    .describe('An idle account is asked for its windows at most this often'),
  wakeMargin: duration('zero allowed')
    .prefault(defaultDuration('wakeMargin'))
    .describe('Wait after a reset before the account is tried'),
  retryEvery: duration()
    .prefault(defaultDuration('retryEvery'))
    .describe('Pause before something that failed is tried again'),
  stopGrace: duration('zero allowed')
    .prefault(defaultDuration('stopGrace'))
    .describe('Time between TERM and KILL'),
  startWithin: duration()
    .prefault(defaultDuration('startWithin'))
    .describe('A launched agent must be up within this time'),
  hungAfter: duration()
    .prefault(defaultDuration('hungAfter'))
    .describe('A request without a sign of life counts as hung after this time'),
  keysQuiet: duration('zero allowed')
    .prefault(defaultDuration('keysQuiet'))
    .describe('A planned move waits until no person has typed for this long'),
  backgroundWaitMax: duration('zero allowed')
    .prefault(defaultDuration('backgroundWaitMax'))
    .describe('A planned move waits for background shells and subagents, no longer than this'),
  pollEvery: duration()
    .prefault(defaultDuration('pollEvery'))
    .refine((ms) => ms <= pollEveryMax, withMessage(`write at most ${formatDuration(pollEveryMax)}`))
    .describe('How often a worker polls its host; walls and turn ends are reported at once all the same'),
  retryMaxInterval: duration()
    .prefault(defaultDuration('retryMaxInterval'))
    .describe('The longest pause before another try, however often it failed'),
  failureBackoffMax: duration()
    .prefault(defaultDuration('failureBackoffMax'))
    .describe(
      'The longest rest of an agent that keeps crashing, and of an account on which starts keep failing',
    ),
  crashLimit: count('write a number of crashes, 1 or more')
    .default(defaultTiming.crashLimit)
    .describe('After so many crashes an agent counts as unable to run as it is, and rests'),
  crashWithin: duration()
    .prefault(defaultDuration('crashWithin'))
    .describe('Only crashes within this time count'),
  turnLimit: count('write a number of turns, 1 or more')
    .default(defaultTiming.turnLimit)
    .describe(
      'The most turns that Outpool itself may begin in a session; the next one parks it for a person',
    ),
  turnWithin: duration()
    .prefault(defaultDuration('turnWithin'))
    .describe('Only turns within this time count'),
  crashBackoff: duration()
    .prefault(defaultDuration('crashBackoff'))
    .describe('Pause before the restart after a second crash; doubled with each further crash'),
  admissionInterval: duration()
    .prefault(defaultDuration('admissionInterval'))
    .describe('Interval between two waves of sessions that start on a nearly spent account'),
  failedStartExclusion: duration()
    .prefault(defaultDuration('failedStartExclusion'))
    .describe('How long a session avoids an account on which it could not be started'),
  failbackReservation: duration()
    .prefault(defaultDuration('failbackReservation'))
    .describe('How long a place on an account is reserved for a session that is to return from a fallback'),
  startPageExclusion: duration()
    .prefault(defaultDuration('startPageExclusion'))
    .describe(
      'How long an account that opened a page at a start is skipped, unless something changes before',
    ),
  maxConcurrentMoves: count('write a number of sessions, 1 or more')
    .default(defaultTiming.maxConcurrentMoves)
    .describe('The most sessions of one host that move at a time'),
})
