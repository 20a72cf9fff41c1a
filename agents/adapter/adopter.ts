/** What Outpool needs of an agent program to take over a process that a person started. An adapter may provide it. */
import type { LiveState } from './liveness.js'

/** What the system tells of a process. `argv` and `env` may hold secrets: nothing of them leaves the host. */
export interface SystemProcess {
  pid: number
  argv: readonly string[]
  env: Readonly<Record<string, string>>
}

/** A process that runs the agent program. */
export interface ProgramProcess {
  /** Real, absolute path of the config dir that it uses. */
  configDir: string
  /** Null if it reports no state: it is starting, or keeps no conversation. */
  live: LiveState | null
  /** When it started, as it reports itself; null without a state. */
  startedAt: string | null
  isInteractive: boolean
  /** Whether another agent started it, for example in a shell command. */
  isStartedByAgent: boolean
  /** The session for which an Outpool launched it, or null. */
  outpoolSession: string | null
}

/** How to start the program again as it was started, without its conversation and its first prompt. */
export interface CarriedStart {
  args: string[]
  /** Null: the program's default, or what the conversation says. */
  model: string | null
  /** Options that are not known, and so are not in `args`. */
  unknown: string[]
}

export interface ConversationFacts {
  /** The folder in which the conversation last worked; null if it does not say. */
  cwd: string | null
  /** The model of the newest answer, or null. */
  model: string | null
  permissionMode: string | null
  /** Whether a person has chosen another model since the conversation began. */
  hasChangedModel: boolean
}

interface ResumeOptions {
  sessionId: string
  model: string | null
  args: readonly string[]
}

export interface AgentAdopter {
  /** Null if the process does not run the program. */
  identify(process: SystemProcess): Promise<ProgramProcess | null>

  /** `facts` of its conversation win over the arguments, which may be older. */
  carryStart(argv: readonly string[], facts: ConversationFacts): CarriedStart

  /**
   * Names of variables that change how the program works and that a launch by Outpool does not set in the same way. `given`: what
   * such a launch sets; null for a value that is not known here.
   */
  lostVariables(
    env: Readonly<Record<string, string>>,
    given: Readonly<Record<string, string | null>>,
  ): string[]

  /** Reads the whole transcript. */
  readFacts(transcript: string): Promise<ConversationFacts>

  /** Where the entries begin that were written at this instant or later, in bytes. */
  offsetSince(transcript: string, instant: string): Promise<number>

  /**
   * The draft in the input line of a screen with its colours, so many columns wide; `cut` if the screen does not show it whole. Null
   * if the line is empty or missing.
   */
  readShownDraft(screen: string, columns: number): { text: string; mode: 'words' | 'shell' } | 'cut' | null

  /** The command line that resumes the conversation, with the program of an earlier command line. */
  resumeCommand(argv: readonly string[], how: ResumeOptions): string[]

  /** Words of a shell that set what selects the config dir; empty for the program's default. */
  selectConfigDir(configDir: string): string[]

  /** Real paths of this user's config dirs that have a usual name and hold conversations. */
  usualConfigDirs(): string[]

  /** Arguments without those whose values may hold a secret or a prompt. */
  publicArguments(args: readonly string[]): string[]
}
