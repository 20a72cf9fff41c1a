/** What `doctor` needs to know of an agent program beside its adapter: facts of its set-up, not of sessions. */
import type { Login } from '../../policy/account/account.js'
import type { AgentCommand, Place } from './place.js'

/** A setting that keeps Outpool, or the login, from working at a place. */
export interface ConfigurationConflict {
  /** `fail` if sessions would not work or could not be watched; `warn` if a person should know. */
  state: 'warn' | 'fail'
  /** One line that names the file or entry in which it is set. Never a value. */
  what: string
  remedy: string
  /** The settings file, if the conflict is that it can't be used at all. */
  unusableFile?: string
}

export interface LoginStatus {
  login: Login
  /** For people: an e-mail address, or the kind of key. Null if there is no login, or if it is unknown. */
  loggedInAs: string | null
  /** Why the login is unknown, in the program's words; null if it is known. */
  unknownBecause: string | null
}

/** What identifies a place's login. Keys are secrets: they are only compared on this host, and never shown. */
export interface LoginTraces {
  /** The stored login's identity (account uuid), address and organisation; null if unknown. */
  identity: string | null
  email: string | null
  organisation: string | null
  /** Folders and files that hold the login. Two places that share one have the same login. Some may not exist. */
  stores: string[]
  /** Keys in the program's own settings, by the name of the setting. */
  keys: Record<string, string>
}

/** By kind: the names of its items, and what to do if another place lacks some. */
export type Inventory = Readonly<Record<string, { items: readonly string[]; remedy: string }>>

export interface AgentExaminer {
  /** `lacks`: what older versions lack. */
  minimumVersion: { version: string; lacks: string; remedy: string }

  /** The login as the program itself reports it. Local: no network, no budget. Throws AgentProgramError. */
  loginStatus(place: Place, command: AgentCommand): Promise<LoginStatus>

  /** What identifies the login, read only from files. Throws AgentFileError. */
  loginTraces(place: Place, command: AgentCommand): Promise<LoginTraces>

  /** Conflicts in the settings of this place. A missing file is not a conflict; a broken one is. */
  configurationConflicts(place: Place, command: AgentCommand): Promise<ConfigurationConflict[]>

  /** Errors that the installed program itself reports in the settings of this place. Local: no network, no budget. Throws AgentProgramError. */
  settingsErrors(place: Place, command: AgentCommand): Promise<ConfigurationConflict[]>

  /** What a session has at this place beside the login. Names only. Throws AgentFileError. */
  inventory(place: Place): Promise<Inventory>

  /** Conflicts in the settings of the whole machine. `files`: read instead of the program's own files. */
  machineConflicts(files?: readonly string[]): Promise<ConfigurationConflict[]>

  /** Variables of `env` that the program would use and that Outpool does not pass on to it. */
  withheldVariables(env: Readonly<Record<string, string | undefined>>): string[]

  /** Files of the place that no other user may read. */
  privateFiles(place: Place): string[]

  /** The command that logs in at this place. */
  loginCommand(place: Place, command: AgentCommand): string
}
