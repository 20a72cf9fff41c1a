/**
 * Every metric that Outpool makes, in one place: instruments, the table in docs/metrics.md, and the checks of dashboard and alert rules
 * derive from it. Names and units follow the conventions of Prometheus. The values of each label are bounded; none is a session's name.
 */

/** What each label holds. */
export const labels = {
  account: 'Name of an account or substrate of the configuration',
  cause: 'Why the session moved: `wall`, `near-limit`, `login`, `crash`, `move`, `home` or `wake`',
  how: 'What was seen: `hung-request`, `stopped` or `spinning`',
  kind: 'Kind of the event, as in [events](events.md)',
  phase: 'Phase of a session, as in `outpool ls`',
  quantile: 'Share of the measurements that are at most this long; `1` is the longest',
  queue:
    '`pool`: sessions without a place; `moves` and `starts`: those that wait for their turn on this host',
  reason: 'What a person has to do: `question`, `permission`, `context`, `settings`, `login` or `page`',
  result: 'How it ended; the values are with the metric',
  role: '`pool`, `reserved` or `substrate`',
  service: 'Name of a service of the configuration',
  state: 'State of an account, as in `outpool accounts`',
  task: 'Name of a task of the configuration',
  via: '`connection`: a line on the permanent connection; `process`: a process for one command',
  wall: "The agent program's own name of a limit, such as `five_hour`; beyond 20 names, `other`",
  window: 'Budget of an account, such as `five_hour`; beyond 20 names, `other`',
} as const
export type Label = keyof typeof labels

type MetricKind = 'counter' | 'gauge' | 'histogram'
export interface Metric<K extends MetricKind = MetricKind, L extends Label = Label> {
  kind: K
  name: string
  meaning: string
  labels: readonly L[]
  /** UCUM. Empty: a number without a unit. */
  unit: '' | 's'
  /** Upper bounds of a histogram's buckets, in its unit. */
  buckets: readonly number[]
}

const unitOf = (name: string): Metric['unit'] => (/_seconds(_total)?$/.test(name) ? 's' : '')
const counter = <const L extends readonly Label[]>(
  name: `outpool_${string}_total`,
  meaning: string,
  ...of: L
): Metric<'counter', L[number]> => ({
  ...{ kind: 'counter', name, meaning, labels: of, unit: unitOf(name), buckets: [] },
})
const gauge = <const L extends readonly Label[]>(
  name: `outpool_${string}`,
  meaning: string,
  ...of: L
): Metric<'gauge', L[number]> => ({
  ...{ kind: 'gauge', name, meaning, labels: of, unit: unitOf(name), buckets: [] },
})
const histogram = <const L extends readonly Label[]>(
  name: `outpool_${string}_seconds`,
  meaning: string,
  buckets: readonly number[],
  ...of: L
): Metric<'histogram', L[number]> => ({ kind: 'histogram', name, meaning, labels: of, unit: 's', buckets })

/** A rescue takes about a second; one of a herd waits for its turn. */
const ofRescues = [0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600]
/** Parks last minutes to days. */
const ofParks = [60, 300, 900, 1_800, 3_600, 7_200, 10_800, 18_000, 43_200, 86_400, 259_200]
const ofTasks = [0.1, 1, 10, 60, 300, 900, 3_600, 10_800, 86_400]
const ofCalls = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

export const catalog = {
  events: counter('outpool_events_total', 'Events that this host has recorded', 'kind'),

  sessions: gauge('outpool_sessions', 'Sessions of this host that have not been stopped', 'phase'),
  rescues: counter(
    'outpool_rescues_total',
    '`moved`: runs on an account; `fallback`: runs on a substrate; `parked`: no account could take it; `failed`: could not be started on any account, and is tried again',
    'cause',
    'result',
  ),
  rescueSeconds: histogram(
    'outpool_rescue_duration_seconds',
    'From the wall, or another cause, to the running agent; after a park, from the free account',
    ofRescues,
    'cause',
  ),
  failedSteps: counter(
    'outpool_rescue_failed_steps_total',
    'Steps that failed in rescues that ended well, such as a start on an account that refused it',
  ),
  parkSeconds: histogram(
    'outpool_parked_seconds',
    'How long sessions were parked, when they ran again',
    ofParks,
  ),
  longestPark: gauge(
    'outpool_parked_longest_seconds',
    'For how long the session has been parked that was parked first; 0 if none is',
  ),
  breaker: counter('outpool_breaker_trips_total', 'Sessions that the breaker has parked for a person'),
  crashes: counter('outpool_session_crashes_total', 'Agents that ended without an order'),
  hangs: counter('outpool_session_hangs_total', 'Agents that did not go on', 'how'),
  waits: counter('outpool_session_waits_total', 'Times that a session began to wait for a person', 'reason'),

  walls: counter('outpool_walls_total', 'Walls of accounts, and of models on them', 'account', 'wall'),
  accountState: gauge(
    'outpool_account_state',
    '1 for the state that the account is in, 0 for the others',
    'account',
    'role',
    'state',
  ),
  leases: gauge('outpool_account_leases', 'Sessions that hold a lease of the account', 'account', 'role'),
  windowUsed: gauge(
    'outpool_window_used_ratio',
    'Used share of a budget, 0..1, as last read; absent between its reset and the next reading',
    'account',
    'role',
    'window',
  ),
  windowReset: gauge(
    'outpool_window_reset_seconds',
    'Time until a budget resets',
    'account',
    'role',
    'window',
  ),
  windowAge: gauge(
    'outpool_window_reading_age_seconds',
    'Age of the reading of a budget',
    'account',
    'role',
    'window',
  ),
  probes: counter(
    'outpool_probes_total',
    'Probes of accounts. `read`: the agent program has reported the state of the login; `failed`: it has not',
    'account',
    'result',
  ),

  restarts: counter(
    'outpool_service_restarts_total',
    'Services that the watchdog has started again',
    'service',
  ),
  escalations: counter(
    'outpool_escalations_total',
    '`started`, and how they ended: `healed` by the agent and checked, `recovered` by itself or a person, `given-up`',
    'service',
    'result',
  ),
  tasks: counter('outpool_task_runs_total', 'Runs of tasks: `ok` or `failed`', 'task', 'result'),
  taskSeconds: histogram('outpool_task_duration_seconds', 'How long tasks ran', ofTasks, 'task'),
  drills: counter('outpool_drills_total', 'Drills that have ended: `ok` or `failed`', 'result'),

  queues: gauge('outpool_queue_length', 'Sessions that wait', 'queue'),
  sampleAge: gauge('outpool_sample_age_seconds', 'Time since the worker last looked at its sessions'),
  loopDelay: gauge(
    'outpool_event_loop_delay_seconds',
    "Delay of the worker's event loop in the last 10 s",
    'quantile',
  ),
  tmuxSeconds: histogram(
    'outpool_tmux_command_duration_seconds',
    'How long tmux took for a command',
    ofCalls,
    'via',
  ),
  engineUp: gauge('outpool_engine_up', '1 if the engine has answered the last check, else 0'),
  engineSeconds: histogram(
    'outpool_engine_check_duration_seconds',
    'How long the engine took to answer a small read from its database, every 2 s',
    ofCalls,
  ),
  engineOutages: counter('outpool_engine_outages_total', 'Times that the engine has stopped answering'),
} as const satisfies Record<string, Metric>

export const metrics: readonly Metric[] = Object.values(catalog)
