/** The schema of `outpool.yaml` as a person writes it. Its messages say what would be right. */
import { z } from 'zod'
import { maxCooldown } from '../../policy/account/cooldown.js'
import { maxSimulatedWall } from '../../policy/pool/simulatedWall.js'
import { rehearsalModes } from '../../policy/rehearsal.js'
import { minimumAge, engineRetention } from '../../policy/retention.js'
import { formatDuration } from './units.js'
import { notices } from './notices.js'
import { service } from './services.js'
import { task } from './tasks.js'
import { timing } from './timing.js'
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
