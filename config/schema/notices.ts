/** `notices:` of `outpool.yaml`: where a person is notified, and when. */
import { z } from 'zod'
import { command, duration, env, envValue, list, name, path, section, withMessage } from './values.js'

const channelKinds = ['command', 'slack', 'ntfy', 'desktop'] as const
const channel = section({
  name,
  command: command.optional().describe('Program that gets the text on its standard input'),
  cwd: path('name a folder').optional(),
  env,
  slack: envValue.optional().describe('Address of a Slack webhook, a secret'),
  ntfy: envValue.optional().describe('Address of an ntfy topic, a secret'),
  token: envValue.optional().describe('An access token of the ntfy server'),
  desktop: z.literal(true, withMessage('write true')).optional().describe('notify-send, on macOS osascript'),
  timeout: duration().prefault('15s').describe('A try that takes longer is ended'),
}).refine(
  (channel) => channelKinds.filter((kind) => channel[kind] !== undefined).length === 1,
  withMessage(`give a channel exactly one of ${channelKinds.join(', ')}`),
)

export const notices = section({
  settleFor: duration('zero allowed')
    .prefault('30s')
    .describe(
      'A condition that ends within this time is not notified; those that begin within it are combined',
    ),
  retryEvery: duration()
    .prefault('1m')
    .describe('Pause before a channel that failed is tried again; it grows'),
  retryMaxInterval: duration().prefault('30m').describe('The longest pause between two tries'),
  giveUpAfter: duration()
    .prefault('1d')
    .describe('A notice that could not be delivered is dropped after this time'),
  dryAhead: duration('zero allowed')
    .prefault('2h')
    .describe('A pool that is expected to run dry within this time is notified ahead, once; 0s: never'),
  to: list(channel, 'write a list of channels').prefault([]).describe('Channels; each gets every notice'),
})
