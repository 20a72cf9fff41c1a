/** The schema of `outpool.yaml` as a person writes it. A message of this schema says what would be right. */
import { z } from 'zod'
import { maxCooldown } from '../../policy/account/cooldown.js'
import { maxSimulatedWall } from '../../policy/pool/simulatedWall.js'
import { type Timing, defaultTiming } from '../../policy/account/account.js'
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
  path,
  command,
  envValue,
  env,
} from './values.js'

const account = section({
  name,
  configDir: path('name its config dir, such as ~/.claude-max-1').describe(
    "The login's config dir (CLAUDE_CONFIG_DIR)",
  ),
  ceiling: share.prefault('100%').describe('No session is placed here above this share of a window'),
  maxSessions: wholeNumber('write a number of sessions, or 0 to take the account out')
    .nullable()
    .default(null)
    .describe('At most so many sessions at once'),
  env,
})

const substrate = section({
  name,
  agent: name.default('claude-code').describe('One of agents'),
  model: text('name a model of this agent').nullable().default(null),
  maxSessions: wholeNumber('write a number of sessions, or 0 to take the substrate out')
    .nullable()
    .default(null)
    .describe('At most so many sessions at once'),
  budget: section({ usd: dollars.refine((usd) => usd > 0, withMessage(dollarsMessage)), per: duration() })
    .nullable()
    .default(null)
    .describe('What it may cost, by the usage in the transcripts and the table of prices'),
  cooldown: duration()
    .prefault('5m')
    .describe('Left alone after a refusal that names no end; doubled while it keeps refusing'),
  cooldownMax: duration().prefault(formatDuration(maxCooldown)).describe('Up to this'),
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
  args: list(z.string(withMessage('write arguments as texts')), 'write a list of arguments').default([]),
  env,
})

/** What the worker sees is taken for old after three times this; see `ls`. */
const pollEveryMax = 10_000
const defaultDuration = (key: keyof Timing) => formatDuration(defaultTiming[key])
const timing = section({
  probeEvery: duration()
    .prefault(defaultDuration('probeEvery'))
    .describe('An idle account is asked at most this often'),
  wakeMargin: duration('zero allowed')
    .prefault(defaultDuration('wakeMargin'))
    .describe('Waited past a reset'),
  retryEvery: duration()
    .prefault(defaultDuration('retryEvery'))
    .describe('What could not go on is tried again'),
  stopGrace: duration('zero allowed')
    .prefault(defaultDuration('stopGrace'))
    .describe('Between TERM and KILL'),
  startWithin: duration()
    .prefault(defaultDuration('startWithin'))
    .describe('A launched agent has to be up within this'),
  hungAfter: duration()
    .prefault(defaultDuration('hungAfter'))
    .describe('A request without a sign of life is hung'),
  keysQuiet: duration('zero allowed')
    .prefault(defaultDuration('keysQuiet'))
    .describe('A planned move waits until nobody has typed for this long'),
  backgroundWaitMax: duration('zero allowed')
    .prefault(defaultDuration('backgroundWaitMax'))
    .describe("A planned move waits for what runs in the agent's background, no longer than this"),
  pollEvery: duration()
    .prefault(defaultDuration('pollEvery'))
    .refine((ms) => ms <= pollEveryMax, withMessage(`write at most ${formatDuration(pollEveryMax)}`))
    .describe('How often a worker looks at its host; what happens is mostly reported at once'),
  retryMaxInterval: duration()
    .prefault(defaultDuration('retryMaxInterval'))
    .describe('However often something could not go on, it is tried again after this'),
  failureBackoffMax: duration()
    .prefault(defaultDuration('failureBackoffMax'))
    .describe('An agent that keeps crashing, and an account on which starts keep failing, rest no longer'),
  crashLimit: count('write a number of crashes, 1 or more')
    .default(defaultTiming.crashLimit)
    .describe('Crashes after which an agent is held to be unable to run as it is'),
  crashWithin: duration().prefault(defaultDuration('crashWithin')).describe('Only those within this count'),
  turnLimit: count('write a number of turns, 1 or more')
    .default(defaultTiming.turnLimit)
    .describe(
      'Turns that Outpool itself begins in a session; the next within turnWithin parks it for a person',
    ),
  turnWithin: duration().prefault(defaultDuration('turnWithin')).describe('Only those within this count'),
  crashBackoff: duration()
    .prefault(defaultDuration('crashBackoff'))
    .describe('Before an agent is started again that crashed a second time; doubled with each'),
  admissionInterval: duration()
    .prefault(defaultDuration('admissionInterval'))
    .describe('A herd goes up on an account that is nearly spent in waves, one this long after the other'),
  failedStartExclusion: duration()
    .prefault(defaultDuration('failedStartExclusion'))
    .describe('An account on which a session could not be started is left out by it for so long'),
  failbackReservation: duration()
    .prefault(defaultDuration('failbackReservation'))
    .describe('A session that is called home has its place there kept for so long'),
  startPageExclusion: duration()
    .prefault(defaultDuration('startPageExclusion'))
    .describe('An account that opened a page is passed over for so long, unless something changes there'),
  maxConcurrentMoves: count('write a number of sessions, 1 or more')
    .default(defaultTiming.maxConcurrentMoves)
    .describe('Sessions of one host that are being moved at a time'),
})

const channelKinds = ['command', 'slack', 'ntfy', 'desktop'] as const
const channel = section({
  name,
  command: command.optional().describe('Gets the text on its standard input'),
  cwd: path('name a folder').optional(),
  env,
  slack: envValue.optional().describe('Address of a Slack webhook, a secret'),
  ntfy: envValue.optional().describe('Address of an ntfy topic, a secret'),
  token: envValue.optional().describe('An access token of the ntfy server'),
  desktop: z.literal(true, withMessage('write true')).optional().describe('notify-send, on macOS osascript'),
  timeout: duration().prefault('15s').describe('One try takes no longer'),
}).refine(
  (channel) => channelKinds.filter((kind) => channel[kind] !== undefined).length === 1,
  withMessage(`give a channel exactly one of ${channelKinds.join(', ')}`),
)

const notices = section({
  settleFor: duration('zero allowed')
    .prefault('30s')
    .describe('What stands shorter than this is no news, and what begins within it is told together'),
  retryEvery: duration().prefault('1m').describe('A channel that failed is tried again, later each time'),
  retryMaxInterval: duration().prefault('30m').describe('The longest pause between two tries'),
  giveUpAfter: duration().prefault('1d').describe('Then a notice that could not be delivered is dropped'),
  to: list(channel, 'write a list of channels').default([]).describe('Every channel gets every notice'),
})

const drill = section({
  every: duration()
    .nullable()
    .default(null)
    .describe('Runs it by itself this often; without, only on demand'),
  timeout: duration()
    .prefault('15m')
    .refine((ms) => ms <= maxSimulatedWall, withMessage(`write at most ${formatDuration(maxSimulatedWall)}`))
    .describe('Time that it may take; then its declaration has ended too'),
  agent: name.default('claude-code').describe('One of agents'),
  model: text('name a model of this agent').nullable().default(null),
  keep: count('write a number of reports, 1 or more').default(20).describe('Reports kept'),
})

const countMessage = 'write a number, 1 or more'
const retentionBound = (maxAge: string, maxCount: number) =>
  section({
    maxAge: duration().prefault(maxAge).describe('Older ones are removed'),
    maxCount: count(countMessage).default(maxCount).describe('Beyond this number the oldest are removed'),
  }).prefault({})
const keep = section({
  every: duration().prefault('1h').describe('How often it is looked whether something is to go'),
  sessions: retentionBound('30d', 1_000).describe('Folders of sessions that are over'),
  forks: retentionBound('30d', 500).describe('Forks of which their session was told'),
  handOvers: retentionBound('30d', 20).describe('Whole hand-overs, for each session'),
  incidents: retentionBound('180d', 200).describe('Incidents that are closed, with their reports'),
  unnamed: duration()
    .prefault('90d')
    .describe('What belongs to tasks and accounts that this file does not name any more'),
  finished: duration()
    .prefault(formatDuration(engineRetention.finished))
    .refine((ms) => ms >= minimumAge, withMessage(`write at least ${formatDuration(minimumAge)}`))
    .describe('What the embedded engine keeps of sessions that are over'),
  log: size.prefault('5M').describe("The embedded engine's log; the part before it is kept once"),
})

export const fileSchema = section({
  pool: section({
    name: name.default('main'),
    moveAt: share.prefault('95%').describe('A session leaves an account at a turn end from this share on'),
    accounts: list(account, 'write a list of accounts').min(1, withMessage('name at least one account')),
  }).describe('The accounts that sessions run on'),
  reserved: list(account, 'write a list of accounts')
    .default([])
    .describe("The healer's own accounts; never leased to a session of the pool"),
  substrates: list(substrate, 'write a list of substrates')
    .default([])
    .describe('Fallbacks in their order, for when the pool is dry'),
  reservedSubstrates: list(substrate, 'write a list of substrates')
    .default([])
    .describe("The healer's own fallbacks in their order, for when every reserved account is walled"),
  agents: z
    .record(name, agent, withMessage('write agents as name: { command: ... }'))
    .prefault({})
    .describe('Agent programs by name; claude-code is always there'),
  timing: timing.prefault({}),
  drill: drill.prefault({}).describe('Proves on this very set-up that sessions outlive a spent pool'),
  keep: keep.prefault({}).describe('How long what is over stays on this host'),
  notices: notices.prefault({}).describe('Where a person is told, once for each cause'),
  prices: z
    .record(text('name a model'), price, withMessage('write prices as MODEL: { input: 1, output: 5 }'))
    .default({})
    .describe("US dollars for a million tokens, by the beginning of a model's name; for budgets"),
  tasks: list(task, 'write a list of tasks').default([]),
  services: list(service, 'write a list of services').default([]),
})

export type ConfigFile = z.output<typeof fileSchema>

/** The JSON Schema that editors use for `outpool.yaml`; also what did-you-mean looks known keys up in. */
export const editorSchema = (): object => ({
  title: 'outpool.yaml',
  ...z.toJSONSchema(fileSchema, { io: 'input' }),
})
