/** The schema of `outpool.yaml` as a person writes it. Its messages say what would be right. */
import { z } from 'zod'
import { maxCooldown } from '../../policy/account/cooldown.js'
import { maxSimulatedWall } from '../../policy/pool/simulatedWall.js'
import { type Timing, defaultTiming } from '../../policy/account/account.js'
import { rehearsalModes } from '../../policy/rehearsal.js'
import { minimumAge, engineRetention } from '../../policy/retention.js'
import { formatDuration } from './units.js'
import { service } from './services.js'
import { task } from './tasks.js'
import {
  withMessage,
  text,
  count,
  wholeNumber,
  list,
  section,
  name,
  duration,
  share,
  size,
  dollarsMessage,
  dollars,
  listenAddress,
  path,
  command,
  envValue,
  env,
} from './values.js'

const accountShape = {
  name,
  configDir: path('name its config dir, such as ~/.claude-max-1').describe(
    "The login's config dir (CLAUDE_CONFIG_DIR)",
  ),
  ceiling: share.prefault('100%').describe('No session is placed here above this share of a window'),
  maxSessions: wholeNumber('write a number of sessions, or 0 to take the account out')
    .nullable()
    .default(null)
    .describe('The most sessions at a time'),
  env,
}
const account = section(accountShape)

const poolAccount = section({
  ...accountShape,
  drain: z
    .boolean(withMessage('write true or false'))
    .default(false)
    .describe('Takes no new session; those that are on it move at the end of their turns'),
})

const substrate = section({
  name,
  agent: name.default('claude-code').describe('One of agents'),
  model: text('name a model of this agent').nullable().default(null),
  maxSessions: wholeNumber('write a number of sessions, or 0 to take the substrate out')
    .nullable()
    .default(null)
    .describe('The most sessions at a time'),
  budget: section({ usd: dollars.refine((usd) => usd > 0, withMessage(dollarsMessage)), per: duration() })
    .nullable()
    .default(null)
    .describe('What it may cost, by the usage in the transcripts and the table of prices'),
  cooldown: duration()
    .prefault('5m')
    .describe('Pause after a refusal that names no end; doubled while it keeps refusing'),
  cooldownMax: duration().prefault(formatDuration(maxCooldown)).describe('The longest such pause'),
  env,
})

const price = section({
  input: dollars,
  output: dollars,
  cacheRead: dollars.default(0),
  cacheWrite: dollars.default(0),
})

const agent = section({
  command: text('name the program to run, such as claude').optional(),
  args: list(z.string(withMessage('write arguments as texts')), 'write a list of arguments').prefault([]),
  env,
  rehearse: z
    .enum(rehearsalModes, withMessage('write auto, ask or off'))
    .default('auto')
    .describe(
      'A version that was never rehearsed: rehearsed in the background, left to a person, or ignored',
    ),
})

const passMessage = 'write names of variables such as GH_TOKEN; one may end in *, as in MY_APP_*'
const passed = section({
  pass: list(text(passMessage).regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/, withMessage(passMessage)), passMessage)
    .default([])
    .describe('Variables that agents, tasks, services and notices get, beside the usual ones'),
})

/** `ls` considers what a worker saw out of date after three times this. */
const pollEveryMax = 10_000
const defaultDuration = (key: keyof Timing) => formatDuration(defaultTiming[key])
const timing = section({
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

const notices = section({
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

const drill = section({
  every: duration()
    .nullable()
    .default(null)
    .describe('How often it runs by itself; by default only on demand'),
  timeout: duration()
    .prefault('15m')
    .refine((ms) => ms <= maxSimulatedWall, withMessage(`write at most ${formatDuration(maxSimulatedWall)}`))
    .describe('Time that a drill may take; its simulated walls end then too'),
  agent: name.default('claude-code').describe('One of agents'),
  model: text('name a model of this agent').nullable().default(null),
  keep: count('write a number of reports, 1 or more').default(20).describe('How many reports are kept'),
})

const countMessage = 'write a number, 1 or more'
const retentionBound = (maxAge: string, maxCount: number) =>
  section({
    maxAge: duration().prefault(maxAge).describe('Older ones are removed'),
    maxCount: count(countMessage).default(maxCount).describe('Beyond this number the oldest are removed'),
  }).prefault({})
const keep = section({
  every: duration().prefault('1h').describe('How often the worker checks whether something is to be deleted'),
  sessions: retentionBound('30d', 1_000).describe('Folders of stopped sessions'),
  forks: retentionBound('30d', 500).describe('Forks that were handed over to their session'),
  handOvers: retentionBound('30d', 20).describe('Whole hand-overs, for each session'),
  incidents: retentionBound('180d', 200).describe('Closed incidents with their reports'),
  unnamed: duration()
    .prefault('90d')
    .describe('Age at which files of tasks and accounts that are no longer configured are deleted'),
  finished: duration()
    .prefault(formatDuration(engineRetention.finished))
    .refine((ms) => ms >= minimumAge, withMessage(`write at least ${formatDuration(minimumAge)}`))
    .describe('How long the embedded engine keeps the histories of stopped sessions'),
  log: size.prefault('5M').describe("Size of the embedded engine's log; one older file is kept"),
})

const events = section({
  maxSize: size
    .prefault('10M')
    .describe('Size of all files of events together; the oldest events are removed beyond it'),
  keepFor: duration().prefault('30d').describe('Older events are removed'),
})

const metrics = section({
  listen: listenAddress
    .nullable()
    .prefault('127.0.0.1:9464')
    .describe('Where Prometheus reads them; null: nowhere, they are only sent by OTLP'),
  hosts: list(text('name a host'), 'write a list of names of hosts')
    .default([])
    .describe('Names by which a request may address the listener, besides localhost and IP addresses'),
})

export const fileSchema = section({
  pool: section({
    name: name.default('main'),
    moveAt: share
      .prefault('95%')
      .describe('From this share of a window on, a session leaves an account at a turn end'),
    accounts: list(poolAccount, 'write a list of accounts').min(1, withMessage('name at least one account')),
  }).describe('The accounts that sessions run on'),
  reserved: list(account, 'write a list of accounts')
    .prefault([])
    .describe("The healer's own accounts; never leased to a session of the pool"),
  substrates: list(substrate, 'write a list of substrates')
    .prefault([])
    .describe('Fallbacks for when the pool is dry, in order'),
  reservedSubstrates: list(substrate, 'write a list of substrates')
    .prefault([])
    .describe("The healer's own fallbacks for when every reserved account is walled, in order"),
  agents: z
    .record(name, agent, withMessage('write agents as name: { command: ... }'))
    .prefault({})
    .describe('Agent programs by name; claude-code always exists'),
  env: passed.prefault({}).describe('What the programs that Outpool starts get of its own environment'),
  timing: timing.prefault({}),
  drill: drill.prefault({}).describe('Proves on this set-up that sessions survive a spent pool'),
  keep: keep.prefault({}).describe('How long finished things are kept on this host'),
  events: events.prefault({}).describe('How much is kept of the record of what happened'),
  metrics: metrics.nullable().default(null).describe('Metrics for Prometheus or OTLP; null: they are off'),
  notices: notices.prefault({}).describe('Where a person is notified, once for each cause'),
  prices: z
    .record(text('name a model'), price, withMessage('write prices as MODEL: { input: 1, output: 5 }'))
    .default({})
    .describe("US dollars for a million tokens, by the beginning of a model's name; for budgets"),
  tasks: list(task, 'write a list of tasks').prefault([]),
  services: list(service, 'write a list of services').prefault([]),
})

export type ConfigFile = z.output<typeof fileSchema>

/** The JSON Schema that editors use for `outpool.yaml`; the suggestions for mistyped keys use it too. */
export const editorSchema = (): object => ({
  title: 'outpool.yaml',
  ...z.toJSONSchema(fileSchema, { io: 'input' }),
})
