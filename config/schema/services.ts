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
  every: duration().prefault('10m').describe('How often the watchdog looks'),
  heartbeat: section({
    file: path('name the heartbeat file'),
    staleAfter: duration().prefault('15m'),
    anyone: z
      .boolean(withMessage('write true or false'))
      .default(false)
      .describe('A plain touched file will do, whoever touched it: proves less'),
  }).optional(),
  busyCheck: section({
    files: list(text('write a path, * and ** allowed'), 'write a list of paths, * and ** allowed')
      .min(1, withMessage('name at least one path'))
      .optional()
      .describe('Files that grow while it works'),
    run: command.optional().describe('Exits 0 while it works'),
    timeout: duration().prefault('30s').describe('The run is ended after this long, and proves nothing'),
    within: duration().prefault('10m').describe('Growth longer ago than this shows nothing'),
    maxBusy: duration().prefault('1h').describe('A silent service is left alone as busy for no longer'),
  })
    .optional()
    .describe('The second look before a service is called frozen'),
  restarts: section({
    limit: count('write a number of restarts, 1 or more').default(3),
    within: duration().prefault('1h'),
    backoff: duration().prefault('10s').describe('Before the second restart; doubled with each, up to every'),
    backoffMax: duration()
      .prefault(formatDuration(maxRestartPause))
      .describe('However often restarts beyond the limit failed, the next comes after this'),
  }).prefault({}),
  wakeUp: section({
    agent: name.default('claude-code'),
    model: text('name a model of this agent').nullable().default(null),
    cwd: cwd.optional(),
    prompt,
    verify: command.optional().describe('Exits 0 when the service is well again'),
    env,
    timeout: duration().prefault('30m').describe('The agent is ended after this long'),
    maxAnswers: count('write a number of answers, 1 or more')
      .default(150)
      .describe('The agent is ended after so many answers of its model'),
    maxTokens: count('write a number of tokens, 1 or more')
      .default(2_000_000)
      .describe('The agent is ended after so many tokens, read from the cache ones not counted'),
    heartbeatWithin: duration()
      .optional()
      .describe('The own beat has to be back within this (default: staleAfter, or 5m without a heartbeat)'),
    retryEvery: duration()
      .prefault('10m')
      .describe('After every place failed: tried again, with growing pauses'),
    retryMaxInterval: duration().prefault(formatDuration(maxEscalationPause)).describe('No pause is longer'),
    verifyTimeout: duration().prefault('2m').describe('verify is ended after this long, and has failed'),
  })
    .optional()
    .describe('An agent session that is called when restarts did not help'),
})
