/** How an adapter prepares a place and launches its program there. */
import type { Environment } from '../../policy/environment.js'
import type { AgentCommand, Place } from './place.js'

export interface LaunchInput {
  place: Place
  command: AgentCommand
  session: string
  sessionId: string
  /** Grows with each launch of this session; marks the process and its reports. */
  fence: number
  cwd: string
  model: string | null
  /** `fork` begins `sessionId` as a copy of `forkOf`, which is not changed. */
  mode: 'new' | 'resume' | 'fork'
  forkOf?: string | null
  /** A file whose content the model reads once, with the next prompt; or null. */
  handOver?: string | null
  /** Submitted as the first message, or null to wait for a person. */
  prompt: string | null
  /** Places at which a person may have answered pages for this project; the previous place first. Default: none. */
  placesWithAnsweredPages?: readonly Place[]
  /** Folder for the files of this launch. */
  launchDir: string
  /** Folder into which the program's hooks and status line write reports. */
  reportDir: string
  /** Instead of the command's. */
  baseEnv?: Environment
}

/** What to run, directly (never through a shell). `env` is the whole environment. */
export interface LaunchPlan {
  argv: string[]
  env: Record<string, string>
}

/** A settings file of a project that makes the program do something which its user has not configured. */
export interface ProjectSettings {
  file: string
  /** What it sets, such as `hooks`. Never a value. */
  does: string[]
  /** Changes with what it sets. */
  digest: string
}

export interface LaunchAdapter {
  /**
   * Prepares a place for unattended work in `cwd`: first-run pages, trust, and a person's answers for this project from the first
   * of `placesWithAnsweredPages` that has any. Idempotent; merges, never overwrites, and decides nothing itself.
   */
  prepare(place: Place, cwd: string, placesWithAnsweredPages?: readonly Place[]): Promise<void>

  /** The settings of the project in `cwd` that run commands, set variables or start servers without asking. Never throws. */
  projectSettings(cwd: string): Promise<ProjectSettings[]>

  /** Writes the files of a launch, and returns what to run. Idempotent per fence. */
  planLaunch(input: LaunchInput): Promise<LaunchPlan>
}
