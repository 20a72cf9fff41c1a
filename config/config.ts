/** The configuration as the other rooms use it: durations in milliseconds, shares 0..1, every path absolute. */
import type { Timing } from '../policy/account/account.js'
import type { RestartLimit } from '../policy/service/service.js'
import type { RehearsalMode } from '../policy/rehearsal.js'
import type { Retention } from '../policy/retention.js'
import type { Budget, Prices } from '../policy/account/spend.js'

/** A literal, or where the host finds the secret at launch; see `resolveEnv`. */
export type EnvValue = string | { fromEnv: string } | { fromFile: string } | { fromCommand: string[] }
export type EnvRefs = Record<string, EnvValue>

export interface AccountConfig {
  name: string
  /** Real, absolute path; it exists. */
  configDir: string
  ceiling: number
  maxSessions: number | null
  env: EnvRefs
}

export interface PoolAccountConfig extends AccountConfig {
  /** It takes no new session, and those that are on it move at the end of their turns. */
  drain: boolean
}

export interface SubstrateConfig {
  name: string
  agent: string
  model: string | null
  maxSessions: number | null
  budget: Budget | null
  /** Milliseconds. */
  cooldown: number
  cooldownMax: number
  env: EnvRefs
}

export interface AgentConfig {
  command: string
  args: string[]
  env: EnvRefs
  /** What is done about a version that was never rehearsed. */
  rehearse: RehearsalMode
}

/** A text, or a file that is read when the prompt is needed. */
export type PromptSource = string | { file: string }

export interface TaskCommand {
  run: string[]
  cwd: string
  env: EnvRefs
}

export type TaskConfig = TaskBounds &
  (
    | { kind: 'imap'; imap: ImapConfig; deliverTo: string | TaskCommand }
    | { kind: 'agent'; agent: string; model: string | null; cwd: string; prompt: PromptSource; env: EnvRefs }
    | ({ kind: 'run' } & TaskCommand)
  )

interface TaskBounds {
  name: string
  every: number
  timeout: number
  catchUp: number
  /** Results kept, each of at most `maxOutputSize` bytes. */
  keep: number
  maxOutputSize: number
  attentionAfter: number
}

export interface ImapConfig {
  host: string
  port: number
  tls: boolean | 'starttls'
  /** A file of certificates, trusted in addition to the system's. */
  ca: string | null
  user: string
  password: EnvValue
  mailbox: string
  /** In small letters: addresses, or `@domain`. Empty: all. */
  from: string[]
  since: number
  maxMails: number
  /** Bytes of a mail's text. */
  maxTextSize: number
}

export interface ServiceConfig {
  name: string
  /** How Outpool starts it; null if it is only watched. */
  run: string[] | null
  /** Where its process is found. `own`: in a pane of Outpool's tmux server, started by `run`. */
  locator: { by: 'own' } | { by: 'pidFile' | 'unit' | 'pane'; at: string }
  cwd: string
  env: EnvRefs
  timeout: number | null
  every: number
  heartbeat: { file: string; staleAfter: number; anyone: boolean } | null
  busyCheck: BusyCheckConfig | null
  restarts: Required<RestartLimit>
  wakeUp: WakeUpConfig | null
}

export interface BusyCheckConfig {
  /** Globs with absolute roots. */
  files: string[]
  run: string[] | null
  /** Of `run`. */
  timeout: number
  within: number
  maxBusy: number
}

interface WakeUpConfig {
  agent: string
  model: string | null
  cwd: string
  prompt: PromptSource
  /** Null: only the process and the heartbeat of the service show whether it is well again. */
  verify: string[] | null
  /** Of `verify`. */
  env: EnvRefs
  timeout: number
  maxAnswers: number
  maxTokens: number
  heartbeatWithin: number
  retryEvery: number
  retryMaxInterval: number
  verifyTimeout: number
}

/** A channel to a person. Its address is a secret. `timeout` in ms. */
export type NoticeChannel = { name: string; timeout: number } & (
  | { kind: 'command'; run: string[]; cwd: string; env: EnvRefs }
  | { kind: 'slack'; url: EnvValue }
  | { kind: 'ntfy'; url: EnvValue; token: EnvValue | null }
  | { kind: 'desktop' }
)

interface NoticesConfig {
  settleFor: number
  retryEvery: number
  retryMaxInterval: number
  giveUpAfter: number
  /** A pool that is expected to run dry within this time is notified ahead. Milliseconds. */
  dryAhead: number
  to: NoticeChannel[]
}

export interface DrillConfig {
  /** Null: only on demand. */
  every: number | null
  timeout: number
  agent: string
  model: string | null
  /** Reports kept. */
  keep: number
}

/** The bounds of the files of events. */
export interface EventBounds {
  /** Bytes of all files together. */
  maxSize: number
  /** Milliseconds. */
  keepFor: number
}

/** Where metrics go. */
export interface MetricsConfig {
  /** Null: they are only sent by OTLP. Port 0: any free one. */
  listen: { host: string; port: number } | null
  /** Names by which a request may address the listener, besides localhost and IP addresses. */
  hosts: string[]
}

export interface Config {
  /** Absolute path of the file that it was read from. */
  file: string
  /** Of the text that it was read from. */
  digest: string
  /** Whether it is used only with the content that a person trusts, of the file and of what came with it. */
  byContent: boolean
  /** Which variables of the worker reach the programs that it starts; see `programEnvironment`. */
  env: { pass: string[]; secrets: ReadonlySet<string> }
  pool: { name: string; moveAt: number; accounts: PoolAccountConfig[] }
  reserved: AccountConfig[]
  substrates: SubstrateConfig[]
  /** The healer's own fallbacks, in order. */
  reservedSubstrates: SubstrateConfig[]
  /** `claude-code` always exists. */
  agents: Record<string, AgentConfig>
  timing: Timing
  notices: NoticesConfig
  /** By the beginning of a model's name. */
  prices: Prices
  drill: DrillConfig
  keep: Retention
  events: EventBounds
  /** Null: metrics are off. */
  metrics: MetricsConfig | null
  tasks: TaskConfig[]
  services: ServiceConfig[]
}
