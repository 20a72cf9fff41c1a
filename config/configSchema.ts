/** The schema of `outpool.yaml` as a person writes it. A message of this schema says what would be right. */
import { z } from 'zod'
import { namePattern } from '../policy/ids.js'
import { cooldownAtMost } from '../policy/cooldown.js'
import { declaredAtMost } from '../policy/declaration.js'
import { type Timing, defaultTiming } from '../policy/account.js'
import { atLeastKept, engineKeeps } from '../policy/retention.js'
import { longestCallPause, longestRest } from '../policy/service.js'
import {
  durationPattern,
  formatDuration,
  parseDuration,
  parseShare,
  parseSize,
  sharePattern,
  sizePattern,
} from './configUnits.js'

const says = (error: string) => ({ error })

const text = (error: string) => z.string(says(error)).min(1, says(error))
const count = (error: string) => z.number(says(error)).int(says(error)).positive(says(error))
const wholeNumber = (error: string) => z.number(says(error)).int(says(error)).nonnegative(says(error))
const list = <T extends z.ZodType>(item: T, error: string) => z.array(item, says(error))
const section = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? 'write a section of keys' : undefined),
  })

const name = z
  .string(says('give it a name such as max-1'))
  .regex(namePattern, says('use small letters, digits, - and _ (at most 63, a letter or digit first)'))

const durationSays = 'write a duration such as 5s, 10m, 3h or 1d'
/** Milliseconds once parsed. */
const duration = (zero: 'zero allowed' | 'above zero' = 'above zero') =>
  z
    .string(says(durationSays))
    .regex(durationPattern, says(durationSays))
    .refine(
      (written) => zero === 'zero allowed' || parseDuration(written) !== 0,
      says(`${durationSays}, above zero`),
    )
    .transform((written) => parseDuration(written) ?? 0)

const shareSays = 'write a share such as 80%'
/** 0..1 once parsed. */
const share = z
  .string(says(shareSays))
  .regex(sharePattern, says(shareSays))
  .transform((written) => parseShare(written) ?? 0)

const sizeSays = 'write a size such as 64K or 1M'
/** Bytes once parsed. */
const size = z
  .string(says(sizeSays))
  .regex(sizePattern, says(sizeSays))
  .transform((written) => parseSize(written) ?? 0)

const dollarsSay = 'write an amount of US dollars such as 5 or 0.25'
const dollars = z.number(says(dollarsSay)).nonnegative(says(dollarsSay))

const path = (error: string) => text(error)

const commandSays = 'write a list of program and arguments such as [node, bot.js]'
const command = list(text(commandSays), commandSays).min(1, says(commandSays))

const envValueSays =
  'write a text (numbers in quotes), or one of { fromEnv: NAME }, { fromFile: PATH }, { fromCommand: [PROGRAM, ARGUMENT] }'
const envValue = z.union(
  [
    z.string(),
    z.strictObject({ fromEnv: z.string().min(1) }),
    z.strictObject({ fromFile: z.string().min(1) }),
    z.strictObject({ fromCommand: z.array(z.string()).min(1) }),
  ],
  says(envValueSays),
)
const env = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, says('use letters, digits and _ in names of variables')),
    envValue,
    says('write variables as NAME: value'),
  )
  .prefault({})
  .describe('Environment of the agent program; secrets by reference, resolved on the host at launch')

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
  budget: section({ usd: dollars.refine((usd) => usd > 0, says(dollarsSay)), per: duration() })
    .nullable()
    .default(null)
    .describe('What it may cost, by the usage in the transcripts and the table of prices'),
  cooldown: duration()
    .prefault('5m')
    .describe('Left alone after a refusal that names no end; doubled while it keeps refusing'),
  cooldownAtMost: duration().prefault(formatDuration(cooldownAtMost)).describe('Up to this'),
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
  args: list(z.string(says('write arguments as texts')), 'write a list of arguments').default([]),
  env,
})

/** What the worker sees is taken for old after three times this; see `ls`. */
const looksAtMost = 10_000
const written = (key: keyof Timing) => formatDuration(defaultTiming[key])
const timing = section({
  probeEvery: duration()
    .prefault(written('probeEvery'))
    .describe('An idle account is asked at most this often'),
  wakeMargin: duration('zero allowed').prefault(written('wakeMargin')).describe('Waited past a reset'),
  retryEvery: duration().prefault(written('retryEvery')).describe('What could not go on is tried again'),
  stopGrace: duration('zero allowed').prefault(written('stopGrace')).describe('Between TERM and KILL'),
  startWithin: duration()
    .prefault(written('startWithin'))
    .describe('A launched agent has to be up within this'),
  hungAfter: duration().prefault(written('hungAfter')).describe('A request without a sign of life is hung'),
  keysQuiet: duration('zero allowed')
    .prefault(written('keysQuiet'))
    .describe('A planned move waits until nobody has typed for this long'),
  lookEvery: duration()
    .prefault(written('lookEvery'))
    .refine((ms) => ms <= looksAtMost, says(`write at most ${formatDuration(looksAtMost)}`))
    .describe('How often a worker looks at its host; what happens is mostly reported at once'),
  retryAtMost: duration()
    .prefault(written('retryAtMost'))
    .describe('However often something could not go on, it is tried again after this'),
  restAtMost: duration()
    .prefault(written('restAtMost'))
    .describe('An agent that keeps crashing, and an account on which starts keep failing, rest no longer'),
  crashLimit: count('write a number of crashes, 1 or more')
    .default(defaultTiming.crashLimit)
    .describe('Crashes after which an agent is held to be unable to run as it is'),
  crashWithin: duration().prefault(written('crashWithin')).describe('Only those within this count'),
  crashPause: duration()
    .prefault(written('crashPause'))
    .describe('Before an agent is started again that crashed a second time; doubled with each'),
  waveEvery: duration()
    .prefault(written('waveEvery'))
    .describe('A herd goes up on an account that is nearly spent in waves, one this long after the other'),
  leftOutFor: duration()
    .prefault(written('leftOutFor'))
    .describe('An account on which a session could not be started is left out by it for so long'),
  placeKept: duration()
    .prefault(written('placeKept'))
    .describe('A session that is called home has its place there kept for so long'),
  movesAtOnce: count('write a number of sessions, 1 or more')
    .default(defaultTiming.movesAtOnce)
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
  desktop: z.literal(true, says('write true')).optional().describe('notify-send, on macOS osascript'),
  timeout: duration().prefault('15s').describe('One try takes no longer'),
}).refine(
  (written) => channelKinds.filter((kind) => written[kind] !== undefined).length === 1,
  says(`give a channel exactly one of ${channelKinds.join(', ')}`),
)

const notices = section({
  settle: duration('zero allowed')
    .prefault('30s')
    .describe('What stands shorter than this is no news, and what begins within it is told together'),
  retryEvery: duration().prefault('1m').describe('A channel that failed is tried again, later each time'),
  retryAtMost: duration().prefault('30m').describe('The longest pause between two tries'),
  giveUpAfter: duration().prefault('1d').describe('Then a notice that could not be delivered is dropped'),
  to: list(channel, 'write a list of channels').default([]).describe('Every channel gets every notice'),
})

const drill = section({
  every: duration()
    .nullable()
    .default(null)
    .describe('Runs it by itself this often; without, only on demand'),
  within: duration()
    .prefault('15m')
    .refine((ms) => ms <= declaredAtMost, says(`write at most ${formatDuration(declaredAtMost)}`))
    .describe('Time that it may take; then its declaration has ended too'),
  agent: name.default('claude-code').describe('One of agents'),
  model: text('name a model of this agent').nullable().default(null),
  keep: count('write a number of reports, 1 or more').default(20).describe('Reports kept'),
})

const atMostSays = 'write a number, 1 or more'
const bound = (age: string, atMost: number) =>
  section({
    for: duration().prefault(age).describe('Older ones go'),
    atMost: count(atMostSays).default(atMost).describe('Of more than this, the oldest go'),
  }).prefault({})
const keep = section({
  every: duration().prefault('1h').describe('How often it is looked whether something is to go'),
  sessions: bound('30d', 1_000).describe('Folders of sessions that are over'),
  forks: bound('30d', 500).describe('Forks of which their session was told'),
  handOvers: bound('30d', 20).describe('Whole hand-overs, for each session'),
  incidents: bound('180d', 200).describe('Incidents that are closed, with their reports'),
  unnamed: duration()
    .prefault('90d')
    .describe('What belongs to tasks and accounts that this file does not name any more'),
  finished: duration()
    .prefault(formatDuration(engineKeeps.finished))
    .refine((ms) => ms >= atLeastKept, says(`write at least ${formatDuration(atLeastKept)}`))
    .describe('What the embedded engine keeps of sessions that are over'),
  log: size.prefault('5M').describe("The embedded engine's log; the part before it is kept once"),
})

const promptSays = 'write the prompt as a text, or { file: PATH }'
const prompt = z.union([z.string().min(1), z.strictObject({ file: z.string().min(1) })], says(promptSays))

const cwd = path('name a folder')
const timeout = duration().nullable().default(null).describe('Ends the program after this long')

const senderSays = 'write a mail address, or @ and a domain for all of its addresses'
const imap = section({
  host: text('name the mail server'),
  port: count('write a port number')
    .max(65_535, says('write a port number up to 65535'))
    .optional()
    .describe('Default: 993 with TLS from the start, else 143'),
  tls: z
    .union([z.boolean(), z.literal('starttls')], says('write true, starttls or false'))
    .default(true)
    .describe('From the start, after a plain greeting (starttls), or not at all'),
  ca: path('name a file of certificates').optional().describe('Also trusted, for a server of your own'),
  user: text('name the mail user'),
  password: envValue,
  mailbox: text('name a mailbox').default('INBOX'),
  from: list(text(senderSays).regex(/^[^@\s]*@[^@\s]+$/, says(senderSays)), 'write a list of senders')
    .default([])
    .describe('Only mail of these senders; any other is left unread'),
  since: duration()
    .prefault('7d')
    .describe('Unread mail that was older than this when the task first looked is left alone'),
  atMost: count('write a number of mails, 1 or more').default(20).describe('Mails delivered in one run'),
  maxText: size.prefault('64K').describe("Of a mail's text, so much is delivered"),
})

const taskCommand = section({ run: command, cwd: cwd.optional(), env })
const deliverToSays = 'name a session, or write { run: [PROGRAM, ARGUMENT] }'

const task = section({
  name,
  every: duration().describe('How often it runs'),
  imap: imap.optional().describe('Polls a mailbox'),
  deliverTo: z
    .union([name, taskCommand], says(deliverToSays))
    .optional()
    .describe('The session that gets the mail, or a command that reads it as JSON from its standard input'),
  agent: name.optional().describe('Autonomous work by an agent session'),
  model: text('name a model of this agent').optional(),
  prompt: prompt.optional(),
  run: command.optional().describe('Runs a program'),
  cwd: cwd.optional(),
  env,
  timeout: duration()
    .optional()
    .describe('A run that takes longer is ended. Default: 1h for run, 1d for agent, 10m for imap'),
  catchUp: duration()
    .prefault('10m')
    .describe('A run that was missed for longer than this, as the machine slept, is left out'),
  keep: count('write a number of results, 1 or more').default(20).describe('Outputs and answers kept'),
  maxOutput: size.prefault('1M').describe('Of the output of one run, the last so much is kept'),
  attentionAfter: count('write a number of runs, 1 or more')
    .default(3)
    .describe('So many failures in a row are shown to a person'),
})

const service = section({
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
  timeout,
  every: duration().prefault('10m').describe('How often the watchdog looks'),
  heartbeat: section({
    file: path('name the heartbeat file'),
    staleAfter: duration().prefault('15m'),
    anyone: z
      .boolean(says('write true or false'))
      .default(false)
      .describe('A plain touched file will do, whoever touched it: proves less'),
  }).optional(),
  busyCheck: section({
    files: list(text('write a path, * and ** allowed'), 'write a list of paths, * and ** allowed')
      .min(1, says('name at least one path'))
      .optional()
      .describe('Files that grow while it works'),
    run: command.optional().describe('Exits 0 while it works'),
    timeout: duration().prefault('30s').describe('The run is ended after this long, and proves nothing'),
    within: duration().prefault('10m').describe('Growth longer ago than this shows nothing'),
    atMost: duration().prefault('1h').describe('A silent service is left alone as busy for no longer'),
  })
    .optional()
    .describe('The second look before a service is called frozen'),
  restarts: section({
    limit: count('write a number of restarts, 1 or more').default(3),
    within: duration().prefault('1h'),
    pause: duration().prefault('10s').describe('Before the second restart; doubled with each, up to every'),
    pauseAtMost: duration()
      .prefault(formatDuration(longestRest))
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
    beatWithin: duration()
      .optional()
      .describe('The own beat has to be back within this (default: staleAfter, or 5m without a heartbeat)'),
    retryEvery: duration()
      .prefault('10m')
      .describe('After every place failed: tried again, with growing pauses'),
    retryAtMost: duration().prefault(formatDuration(longestCallPause)).describe('No pause is longer'),
    verifyWithin: duration().prefault('2m').describe('verify is ended after this long, and has failed'),
  })
    .optional()
    .describe('An agent session that is called when restarts did not help'),
})

export const fileSchema = section({
  pool: section({
    name: name.default('main'),
    moveAt: share.prefault('95%').describe('A session leaves an account at a turn end from this share on'),
    accounts: list(account, 'write a list of accounts').min(1, says('name at least one account')),
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
    .record(name, agent, says('write agents as name: { command: ... }'))
    .prefault({})
    .describe('Agent programs by name; claude-code is always there'),
  timing: timing.prefault({}),
  drill: drill.prefault({}).describe('Proves on this very set-up that sessions outlive a spent pool'),
  keep: keep.prefault({}).describe('How long what is over stays on this host'),
  notices: notices.prefault({}).describe('Where a person is told, once for each cause'),
  prices: z
    .record(text('name a model'), price, says('write prices as MODEL: { input: 1, output: 5 }'))
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
