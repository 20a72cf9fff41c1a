/** What `doctor` asks of an agent program beside its adapter: questions of a set-up, not of a session. */
import type { Login } from '../policy/account/account.js'
import type { AgentCommand, Place } from './agent.js'

/** Something set around a place that keeps Outpool, or the login, from working there. */
export interface ConfigurationConflict {
  /** `fail` where sessions would not work or not be seen; `warn` where a person should know. */
  state: 'warn' | 'fail'
  /** One line, with the file or the entry in which it is set. Never a value. */
  what: string
  remedy: string
  /** A settings file that can't be used at all, where that is what is wrong. */
  unusableFile?: string
}

export interface LoginStatus {
  login: Login
  /** As whom, in words: an e-mail address, or the kind of key. Null where nobody is logged in, or nobody said. */
  loggedInAs: string | null
  /** Why nothing is known, in the program's words; null where it is. */
  unknownBecause: string | null
}

/** What a place's login can be recognised by. Keys are secrets: compared on this host, and shown to nobody. */
export interface LoginTraces {
  /** The stored login's own identity (account uuid), address and organisation; null where it says none. */
  identity: string | null
  email: string | null
  organisation: string | null
  /** Folders and files that hold the login: one in common is one login. Some may not exist. */
  stores: string[]
  /** Keys that the program's own settings bring, by the name of the setting. */
  keys: Record<string, string>
}

/** By kind of thing, in words: what there is of it, by name, and what to do where another place lacks some. */
export type Inventory = Readonly<Record<string, { items: readonly string[]; remedy: string }>>

export interface AgentExaminer {
  /** Older versions work less well, and `lacks` says in what. */
  minimumVersion: { version: string; lacks: string; remedy: string }

  /** The program's own word on its login. Local: no network, no budget. Throws AgentProgramError. */
  loginStatus(place: Place, command: AgentCommand): Promise<LoginStatus>

  /** By what the login could be that of another place, read from files alone. Throws AgentFileError. */
  loginTraces(place: Place, command: AgentCommand): Promise<LoginTraces>

  /** Of the settings that hold for this place alone. Missing files hinder nothing; broken ones do. */
  configurationConflicts(place: Place, command: AgentCommand): Promise<ConfigurationConflict[]>

  /** What the installed program itself has against the settings of this place. Local: no network, no budget. Throws AgentProgramError. */
  settingsErrors(place: Place, command: AgentCommand): Promise<ConfigurationConflict[]>

  /** What a session finds at this place beside its login. Names only. Throws AgentFileError. */
  inventory(place: Place): Promise<Inventory>

  /** Of the settings that hold for the whole machine. `files`: where to look instead of the program's own places. */
  machineConflicts(files?: readonly string[]): Promise<ConfigurationConflict[]>

  /** Variables of `env` that the program would heed and that Outpool does not hand to it. */
  withheldVariables(env: Readonly<Record<string, string | undefined>>): string[]

  /** Files of the place that nobody else may read. */
  privateFiles(place: Place): string[]

  /** What to type to log in at this place. */
  loginCommand(place: Place, command: AgentCommand): string
}
