/**
 * Every kind of event, in one place: what is stored, printed as JSON and documented (docs/events.md) derives from it. An event says
 * what happened; it holds no prompt, no answer and no secret (law 11). Instants are ISO 8601 in UTC, shares 0..1.
 */
import { z } from 'zod'
import { features } from '../../policy/features.js'
import { waitReasons } from '../../policy/notices/hostReport.js'
import { rescueCauses } from '../../policy/session/session.js'

/** The version of the schema, in `v` of each event. It grows when a field changes its meaning. */
export const eventVersion = 1

const maxText = 300
const maxName = 200
const maxSteps = 40
const maxMissed = 100
const maxWindows = 20

/** One line of bounded length without control characters: texts of other programs may contain anything. */
const lineOf = (max: number) =>
  z.string().transform((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').slice(0, max))
const name = () => lineOf(maxName)
const text = () => lineOf(maxText)
const instant = () => z.iso.datetime()
/** Milliseconds. */
const ms = () => z.number().nonnegative()
const count = () => z.number().int().nonnegative()

const session = name().describe('Name of the session')
const account = name().describe('Name of the account or substrate')
const service = name().describe('Name of the service')
const pid = count().describe('Id of the process')
const address = name().describe('Where the engine is')
const task = name().describe('Name of the task')
const agentProgram = name().describe('The agent program')
const agentVersion = lineOf(60).describe('Its version')
const checked = text().describe('What the check found')
const incident = count().describe('Number of the incident, as in `outpool incidents`')

/** How the wall is known. */
const evidenceClasses = ['transcript', 'refusal', 'budget', 'context', 'reading', 'pool'] as const
export type EvidenceClass = (typeof evidenceClasses)[number]

const wallKind = lineOf(80).describe("The agent program's own name of the limit, such as `five_hour`")
const wallScope = lineOf(80).describe('`account`, or `model:` with the model family that the wall binds')
const resetsAt = instant().nullable().describe('When the wall ends, if that is known')
const evidence = z
  .enum(evidenceClasses)
  .describe(
    'How it is known: an entry of the transcript, a refusal by a substrate, a spent budget, a conversation too long for a substrate, a reading of the usage, or what the pool knew when a person ordered the move',
  )

const wall = z
  .object({ kind: wallKind, scope: wallScope, resetsAt, evidence })
  .nullable()
  .describe('The wall that was the cause, if a wall was')

const cause = z.enum(rescueCauses).describe('Why the session moves')
const byPerson = z.boolean().optional().describe('True if a person ordered the move')
const steps = z
  .array(z.object({ name: text(), ms: ms(), failed: z.boolean() }))
  .transform((all) => all.slice(-maxSteps))
  .describe(
    "Steps with their milliseconds; why one failed is in the rescue log, since it may quote the agent's screen",
  )

const windows = z
  .array(z.object({ name: lineOf(80), used: z.number(), resetsAt: instant().nullable() }))
  .transform((all) => all.slice(0, maxWindows))
  .describe('Budgets: name, used share, next reset')

const kindOf = <K extends string, S extends z.ZodRawShape>(kind: K, meaning: string, shape: S) =>
  z
    .object({
      v: z.literal(eventVersion).describe('Version of the schema'),
      id: lineOf(300).describe('Identifies the event: the same one is never recorded twice'),
      at: instant().describe("When it happened, by this host's clock"),
      host: name().describe('The host that recorded it'),
      kind: z.literal(kind),
      ...shape,
    })
    .describe(meaning)

export const eventSchema = z.discriminatedUnion('kind', [
  kindOf('session-started', 'A session runs for the first time.', {
    session,
    place: account,
    agent: name().describe('The agent program'),
    model: name().nullable().describe("The model; null is the agent's default"),
    why: text().describe('Why this account'),
    ms: ms().describe('From the order to the running agent, in milliseconds'),
  }),
  kindOf('session-walled', 'The account of a session refused.', { session, account, ...wallShape() }),
  kindOf('session-moved', 'A session runs on another place, or again on the same one.', {
    session,
    n: count().describe("Number of the entry in the session's rescue log"),
    cause,
    byPerson,
    from: account.nullable().describe('Where it ran before'),
    to: account.describe('Where it runs now'),
    wall,
    conversation: z
      .enum(['same', 'fork'])
      .describe(
        '`fork` on a substrate, where the session works on a copy of its conversation; otherwise `same`',
      ),
    why: text().describe('Why this place'),
    ms: ms().describe('From the cause to the running agent, in milliseconds'),
    steps,
  }),
  kindOf('session-parked', 'A session waits, with its process stopped.', {
    session,
    from: account.nullable().describe('Where it ran before'),
    cause: z.enum([...rescueCauses, 'start', 'breaker']).describe('Why it waits'),
    byPerson,
    wall,
    until: instant().nullable().describe('The next attempt; null if a person has to act'),
    why: text().describe('What it waits for'),
    isFailure: z
      .boolean()
      .optional()
      .describe('True if its agent could not be started, for a reason that every account shares'),
  }),
  kindOf('session-woken', 'A parked session runs again.', {
    session,
    to: account.describe('Where it runs now'),
    parkedMs: ms().describe('How long it was parked, in milliseconds'),
  }),
  kindOf('session-on-fallback', 'A session works on a substrate, or on a lesser model than it wants.', {
    session,
    place: account,
    model: name().nullable().describe("The model; null is the agent's default"),
  }),
  kindOf('session-off-fallback', 'A session is back from its fallback.', {
    session,
    account,
    fallbackMs: ms().describe('How long it was on the fallback, in milliseconds'),
  }),
  kindOf('session-crashed', 'The agent of a session ended without an order, and is started again.', {
    session,
    account: account.nullable(),
    how: text().describe('How it ended'),
    crashes: count().describe('Crashes that count for its next pause'),
    retryAt: instant().describe('When it is started again'),
  }),
  kindOf('session-hung', 'The agent of a session does not go on.', {
    session,
    account: account.nullable(),
    how: z
      .enum(['hung-request', 'stopped', 'spinning'])
      .describe('A request without an answer, a process that a signal has stopped, or one that only draws'),
    remedy: z.enum(['continue', 'interrupt', 'restart']).describe('What is done about it'),
  }),
  kindOf('session-turn-stopped', "A hook of the user's has ended a turn, and the agent is at rest.", {
    session,
    account: account.nullable(),
  }),
  kindOf('session-waiting', 'A session waits for a person.', {
    session,
    reason: z.enum(waitReasons).describe('What a person has to do'),
  }),
  kindOf('session-attended', 'A session no longer waits for a person.', {
    session,
    waitedMs: ms().describe('How long it waited, in milliseconds'),
  }),
  kindOf('session-logged-out', 'The login of an account was lost while a session ran on it.', {
    session,
    account: account.nullable(),
  }),
  kindOf('session-paused', 'A person has paused a session.', { session }),
  kindOf(
    'session-restored',
    'The workflow of a session was terminated or deleted at the engine, and was started again with its conversation.',
    {
      session,
      how: z
        .enum(['terminated', 'deleted'])
        .describe(
          '`deleted`: if its agent ran, only what this host had recorded is known, and texts that were not delivered are lost',
        ),
    },
  ),
  kindOf('session-released', 'A person has taken a session back: its process goes on without Outpool.', {
    session,
  }),
  kindOf('session-stopped', 'A session has ended.', {
    session,
    why: text().describe('Who or what ended it'),
  }),
  kindOf('account-walled', 'An account, or a model on it, refuses.', { account, ...wallShape() }),
  kindOf('account-near-limit', 'An account is near its limit: sessions leave it at their turn ends.', {
    account,
    window: lineOf(80).describe('The budget'),
    used: z.number().describe('Its used share, 0..1'),
    resetsAt: instant().nullable().describe('When the budget resets, if that is known'),
  }),
  kindOf('account-back', 'A wall has ended, or the account has room again.', {
    account,
    from: z.enum(['wall', 'near-limit']).describe('What is over'),
    scope: wallScope,
    afterMs: ms().describe('How long it lasted, in milliseconds'),
  }),
  kindOf('account-logged-out', 'The login of an account is gone.', { account }),
  kindOf('account-logged-in', 'An account that was logged out has a login again.', { account }),
  kindOf('account-read', 'A probe has read the budgets of an account, and they have changed.', {
    account,
    windows,
  }),
  kindOf('task-run', 'A task has run.', {
    task,
    ms: ms().describe('How long it took, in milliseconds'),
    summary: text().nullable().describe('Its result in a few words'),
  }),
  kindOf('task-failed', 'A task has failed.', {
    task,
    ms: ms().describe('How long it took, in milliseconds'),
    error: text().describe('Why it failed'),
    failures: count().describe('Failures in a row'),
  }),
  kindOf('service-missing', 'A service does not run.', { service, incident, why: checked }),
  kindOf('service-frozen', 'A service runs, and gives no sign of life.', { service, incident, why: checked }),
  kindOf('service-busy', 'A service gives no heartbeat, and is left alone because it works.', {
    service,
    why: checked,
  }),
  kindOf('service-restarted', 'A service was started again.', {
    service,
    incident: incident
      .nullable()
      .describe('Number of its incident; null if a person asked for it while it was well'),
    attempt: text().describe('Which restart this is'),
    pid: count().nullable().describe('Its new process, if it is known'),
  }),
  kindOf('service-back', 'A service is well again.', {
    service,
    incident,
    afterMs: ms().describe('From the first sign of the incident, in milliseconds'),
  }),
  kindOf('escalation-started', 'Restarts did not help a service, and an agent is woken for it.', {
    service,
    incident,
  }),
  kindOf('escalation-ended', 'The escalation of an incident is over.', {
    service,
    incident,
    result: z
      .enum(['healed', 'recovered', 'given-up'])
      .describe(
        '`healed`: the agent fixed it and the check agreed; `recovered`: it recovered by itself or a person fixed it; `given-up`: neither',
      ),
  }),
  kindOf('drill-ended', 'A drill is over.', {
    drill: name().describe('Id of the drill'),
    ok: z.boolean().describe('Whether the healer acted as it should'),
    why: text().nullable().describe('Why it failed'),
    ms: ms().describe('How long it took, in milliseconds'),
    steps: steps.describe("Steps with their milliseconds; what each of them found is in the drill's report"),
  }),
  kindOf('engine-down', 'The engine does not answer.', { address }),
  kindOf('engine-up', 'The engine answers again.', {
    address,
    downMs: ms().describe('How long it did not answer, in milliseconds'),
  }),
  kindOf('worker-up', 'The worker of this host watches its sessions.', {
    pid,
  }),
  kindOf('worker-down', 'The worker of this host has stopped.', {
    pid,
    how: z
      .enum(['stopped', 'died'])
      .describe('`died`: it ended without stopping cleanly; `at` is when the next one began'),
    why: text().describe('Who or what ended it'),
  }),
  kindOf(
    'agent-unrehearsed',
    'An agent program was launched in a version that was never rehearsed here, and no rehearsal runs by itself.',
    { agent: agentProgram, version: agentVersion },
  ),
  kindOf('agent-rehearsed', 'A version of an agent program was rehearsed in the background.', {
    agent: agentProgram,
    version: agentVersion,
    ms: ms().describe('How long it took, in milliseconds'),
    expectations: count().describe('How many expectations were checked'),
    missed: z
      .array(z.object({ name: name(), isEssential: z.boolean() }))
      .transform((all) => all.slice(0, maxMissed))
      .describe(
        'Those that did not hold, or could not be checked; without an essential one sessions cannot be kept going',
      ),
    consequence: text().nullable().describe('What the worst of them means'),
    off: z.array(z.enum(features)).describe('Features that are switched off while this version is installed'),
  }),
  kindOf('configuration-taken', 'The worker has begun to work with a configuration.', {
    file: text().describe('Path of the file'),
    accounts: count().describe('Accounts of the pool'),
    substrates: count().describe('Fallbacks of the pool'),
    tasks: count().describe('Tasks of the loop'),
    services: count().describe('Guarded services'),
  }),
])

function wallShape() {
  return { wall: wallKind, scope: wallScope, resetsAt, evidence }
}

/** An event as it is stored and printed. */
export type OutpoolEvent = z.output<typeof eventSchema>
export type EventKind = OutpoolEvent['kind']

/** All kinds, in the order of the documentation. */
export const eventKinds: readonly EventKind[] = eventSchema.options.map(({ shape }) => shape.kind.value)

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** An event as its source gives it; the host's store adds the rest. */
export type EventDraft = DistributiveOmit<z.input<typeof eventSchema>, 'v' | 'host'>
