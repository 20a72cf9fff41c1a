/** `services:` of `outpool.yaml`: what the watchdog guards, and how. */
import { z } from 'zod'
import { maxEscalationPause, maxRestartPause } from '../../policy/service/service.js'
import { formatDuration } from './units.js'
import {
  withMessage,
  text,
  count,
  list,
  section,
  name,
  duration,
  path,
  command,
  env,
  prompt,
  cwd,
} from './values.js'

export const service = section({
  name,
  run: command
    .optional()
    .describe('Starts the service; with pidFile, unit or pane, a command that starts it'),
  pidFile: path('name the file in which it writes its process id').optional(),
  unit: text('name a systemd unit such as bot.service')
    .optional()
    .describe('A unit of the user, or system:UNIT'),
  pane: text('name a pane of your own tmux server, such as work:1.0').optional(),
  cwd: cwd.optional(),
  env,
  timeout: duration().nullable().default(null).describe('Ends the program after this long'),
  every: duration().prefault('10m').describe('How often the watchdog checks'),
  heartbeat: section({
    file: path('name the heartbeat file'),
    staleAfter: duration().prefault('15m'),
    anyone: z
      .boolean(withMessage('write true or false'))
      .default(false)
      .describe('Accept a file that was merely touched, by any program; this proves less'),
  }).optional(),
  busyCheck: section({
    files: list(text('write a path, * and ** allowed'), 'write a list of paths, * and ** allowed')
      .min(1, withMessage('name at least one path'))
      .optional()
      .describe('Files that grow while the service works'),
    run: command.optional().describe('Exits with 0 while the service works'),
    timeout: duration().prefault('30s').describe('run is ended after this long, and then proves nothing'),
    within: duration().prefault('10m').describe('Growth longer ago than this proves nothing'),
    maxBusy: duration()
      .prefault('1h')
      .describe('A silent service is left alone as busy for no longer than this'),
  })
    .optional()
    .describe('The second check before a service counts as frozen'),
  restarts: section({
    limit: count('write a number of restarts, 1 or more').default(3),
    within: duration().prefault('1h'),
    backoff: duration()
      .prefault('10s')
      .describe('Pause before the second restart; doubled with each, up to every'),
    backoffMax: duration()
      .prefault(formatDuration(maxRestartPause))
      .describe('The longest pause between restarts beyond the limit'),
  }).prefault({}),
  wakeUp: section({
    agent: name.default('claude-code'),
    model: text('name a model of this agent').nullable().default(null),
    cwd: cwd.optional(),
    prompt,
    verify: command.optional().describe('Exits with 0 when the service is well again'),
    env,
    timeout: duration().prefault('30m').describe('The agent is ended after this long'),
    maxAnswers: count('write a number of answers, 1 or more')
      .default(150)
      .describe('The agent is ended after so many answers of its model'),
    maxTokens: count('write a number of tokens, 1 or more')
      .default(2_000_000)
      .describe('The agent is ended after so many tokens; those read from the cache do not count'),
    heartbeatWithin: duration()
      .optional()
      .describe(
        "The service's own heartbeat must be back within this time (default: staleAfter, or 5m without one)",
      ),
    retryEvery: duration()
      .prefault('10m')
      .describe('Pause before another try after every place failed; it grows'),
    retryMaxInterval: duration()
      .prefault(formatDuration(maxEscalationPause))
      .describe('The longest pause between two tries'),
    verifyTimeout: duration()
      .prefault('2m')
      .describe('verify is ended after this long, and counts as failed'),
  })
    .optional()
    .describe('An agent session that is started when restarts did not help'),
})
