/** What Outpool needs of an agent program. An adapter implements this interface for one program; no other code knows the program. */
import type { Environment } from '../../policy/environment.js'
import type { AccountReading, Wall, Window } from '../../policy/account/account.js'
import type { UnfinishedWork, ScheduledPrompt, RunningTask } from '../../policy/session/backgroundTasks.js'
import type { Question } from '../../policy/session/question.js'
import type { Usage } from '../../policy/account/spend.js'

/** An account or substrate on this host, with everything that makes the agent program use it. */
export interface Place {
  kind: 'account' | 'substrate'
  name: string
  /** Real, absolute path. Holds login, settings and transcripts. */
  configDir: string
  /** Secrets are resolved in it, so it never leaves the host or gets into a log. */
  env: Record<string, string>
}

/** How to run the program at any place. */
export interface AgentCommand {
  command: string
  args: string[]
  env: Record<string, string>
  /** What every program gets; `env` and the place's come on top. Default: the usual variables of this process. */
  baseEnv?: Environment
}

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
  answeredAt?: readonly Place[]
  /** Folder for the files of this launch. */
  launchDir: string
  /** Folder into which the program's hooks and status line write reports. */
  reportDir: string
  /** Instead of the command's. */
  baseEnv?: Environment
}

/** A settings file of a project that makes the program do something which its user has not configured. */
export interface ProjectSettings {
  file: string
  /** What it sets, such as `hooks`. Never a value. */
  does: string[]
  /** Changes with what it sets. */
  digest: string
}

/** What to run, directly (never through a shell). `env` is the whole environment. */
export interface LaunchPlan {
  argv: string[]
  env: Record<string, string>
}

/** A report of the program's hooks or status line, from a file in the report folder. */
export type AgentReport = { session: string; fence: number; at: string } & (
  | { kind: 'started'; sessionId: string; transcript: string; source: string }
  | { kind: 'turn-started' }
  /** With background tasks and plans, if the program reported them. */
  | { kind: 'turn-ended'; tasks?: RunningTask[]; plans?: ScheduledPrompt[] }
  | { kind: 'turn-failed'; error: string; subagent: boolean }
  | { kind: 'needs-person'; what: string }
  | { kind: 'ended'; reason: string }
  | { kind: 'quota'; windows: Window[] }
)

/** Why a turn failed; each class is answered differently (law 6). */
export type TurnFailure =
  | { class: 'wall'; wall: Wall }
  | { class: 'login' | 'billing' | 'config' | 'context'; text: string; at: string }
  /** `refusal`: the provider refuses to serve, no matter which account asks; null for other trouble, such as a lost connection. */
  | { class: 'transient'; refusal: 'rate_limit' | 'overloaded' | null; text: string; at: string }

/** What was added to the main thread of a transcript after a given point. */
export interface TranscriptTail {
  /** Bytes read so far: where the next read starts. Always at the end of a whole line. */
  offset: number
  /**
   * The newest outcome of the main thread: a failure lasts only until the next answer. `stopped`: a hook of the user's on this event
   * ended the turn after a tool was called, and gave this reason. Null if there is none.
   */
  last:
    | { kind: 'failure'; failure: TurnFailure }
    | { kind: 'answer'; at: string }
    | { kind: 'stopped'; hook: string; reason: string }
    | null
  /** Prompts of a person, or of Outpool in a person's place, as the program wrote them. */
  prompts: string[]
  /** Those but for blocked ones, and texts that were put into the program's queue: everything that it took from its input line as words. */
  entered: string[]
  /** Texts of a person that are still in the program's queue. They are lost if the process ends. */
  queued: string[]
  /** Commands of the program that ran; `refusal` is its message if it does not know the command. */
  commands: { refusal: string | null }[]
  /** Prompts that a hook of the user's refused, each with the reason that the hook gave: no turn was begun for them. */
  blocked: { reason: string }[]
}

/** The end of a transcript, whichever process wrote it. */
export interface TranscriptEnd {
  bytes: number
  /** The newest entry with an id, and when it was written; null if there is none. */
  newest: { id: string; at: string | null } | null
  /** Whether the main thread had work in progress; `failed` if the API refused. Null if no turn was ever begun. */
  turn: 'open' | 'ended' | 'failed' | null
}

/** What was done on a fork, beyond the original conversation. */
export interface ForkDigest {
  /** Oldest first. `answered` is the model's last answer in that turn, or null. */
  turns: { asked: string | null; answered: string | null }[]
  /** Absolute paths of files that the model changed, each once. */
  files: string[]
}

/** `changedAt`: ms since the epoch. */
export interface StoredConversation {
  sessionId: string
  changedAt: number
}

/** Tokens of one answer. The program writes several entries for one answer, all with the same `id`. */
export interface TokenUsage extends Usage {
  id: string
  at: string
}

/** What was added to one file of a conversation, up to `mark` (bytes). */
export interface FileTokenUsage {
  file: string
  mark: number
  used: TokenUsage[]
}

/** A text of the model for its user. */
export interface Answer {
  text: string
  at: string
}

export type Activity = 'busy' | 'idle' | 'waiting' | 'shell'

/** What the program reports about one of its live processes. */
export interface LiveState {
  pid: number
  sessionId: string
  activity: Activity
  /** What it waits for, in the program's words. */
  waitingFor: string | null
  updatedAt: string
}

/** Selects processes; with both fields, both have to match. */
export interface LiveQuery {
  pids?: readonly number[]
  /** Only processes that hold this conversation. */
  sessionId?: string
}

/**
 * A dialog on the screen. `safeKeys` are the next tmux keys that answer it without deciding anything for a person, or null. A new
 * dialog may miss keys: read the screen again and send the next keys until it is gone.
 */
export interface Dialog {
  /** `permission` if the agent asks whether it may do something. */
  name: string
  /** What it asks, on one line, for a person. */
  prompt: string
  safeKeys: string[] | null
  /** The question with its choices, if they can be read and a person has to choose. */
  question: Question | null
}

/** A page that the program opens at its start and that only a person can answer. */
export interface StartPage {
  /** One line: which page, and about what. Never a value from a file. */
  what: string
  /** One line: what a person does about it. */
  remedy: string
  /** The folder in which sessions meet it; null if every session of the place does. */
  cwd: string | null
}

/** The next step in giving an answer to a question. */
export type AnswerStep =
  | { kind: 'press'; keys: string[] }
  /** To be pasted once. */
  | { kind: 'paste'; text: string }
  /** The question does not accept such an answer; `why` says which it accepts. */
  | { kind: 'refused'; why: string }

export interface AgentAdapter {
  readonly name: string
  /** Whether a conversation's id can be chosen before its first launch. */
  readonly canChooseSessionId: boolean

  /** The program's version, for `doctor`. Throws AgentProgramError if it cannot be run. */
  version(command: AgentCommand): Promise<string>

  /**
   * Prepares a place for unattended work in `cwd`: first-run pages, trust, and a person's answers for this project from the first
   * of `answeredAt` that has any. Idempotent; merges, never overwrites, and decides nothing itself.
   */
  prepare(place: Place, cwd: string, answeredAt?: readonly Place[]): Promise<void>

  /** The settings of the project in `cwd` that run commands, set variables or start servers without asking. Never throws. */
  projectSettings(cwd: string): Promise<ProjectSettings[]>

  /** Writes the files of a launch, and returns what to run. Idempotent per fence. */
  planLaunch(input: LaunchInput): Promise<LaunchPlan>

  /** The conversation's transcript at this place, or null. */
  findTranscript(place: Place, sessionId: string): Promise<string | null>

  /**
   * Copies the whole conversation from one place to another, and verifies that every byte arrived. Idempotent. A target that has
   * diverged from the source is kept beside the copy; one that continues the source (this carry is late) is left as it is.
   * Throws CarryError.
   */
  carry(input: { sessionId: string; from: Place; to: Place }): Promise<{ transcript: string; bytes: number }>

  /** Every conversation that has a transcript in this place. */
  listConversations(place: Place): Promise<StoredConversation[]>

  /** Deletes the conversation at this place, with all that belongs to it. Copies at other places stay. */
  deleteConversation(place: Place, sessionId: string): Promise<void>

  /**
   * Reads the transcript from `offset` on. Skips unknown entries, and leaves an unfinished last line to the next call. With `since`,
   * skips earlier entries too, because a fork begins with copies of the original's.
   */
  readTail(transcript: string, offset: number, since?: string | null): Promise<TranscriptTail>

  /**
   * The end of a transcript, or its end when it had `upTo` bytes; null if it does not exist or cannot be read. Cheap for long
   * conversations too.
   */
  readEnd(transcript: string, upTo?: number): Promise<TranscriptEnd | null>

  /** Whether the transcript holds this entry itself, and not only an entry that refers to it. */
  containsEntry(transcript: string, id: string): Promise<boolean>

  /** The config dir of a transcript, even if the configuration does not name it. */
  configDirOf(transcript: string): string

  /** What the fork's transcript holds beyond the original's, or null. Only for files of this host (law 11). */
  readForkDigest(fork: string, original: string | null): Promise<ForkDigest | null>

  /** Whether the transcript holds this text anywhere. */
  containsText(transcript: string, text: string): Promise<boolean>

  /** Tokens used by the conversation and its subagents after `marks`: how far each file was read before. */
  readTokenUsage(transcript: string, marks: Readonly<Record<string, number>>): Promise<FileTokenUsage[]>

  /** The newest answer of the main thread from `offset` (bytes) on, or null. Only for files of this host (law 11). */
  readLastAnswer(transcript: string, offset: number): Promise<Answer | null>

  /** Parses one file of the report folder; null if it is not a report of this program. */
  parseReport(fileName: string, body: string, at: string): AgentReport | null

  /**
   * What the program reports about its live processes at this place, or about the selected ones. Leaves out dead processes and
   * stale files. Cheap enough to be called for hundreds of processes every other second.
   */
  readLiveStates(place: Place, only?: LiveQuery): Promise<LiveState[]>

  /** Login identity and cached windows, read without starting the program or spending anything. */
  readIdentity(place: Place): Promise<{ identity: string | null; email: string | null; windows: Window[] }>

  /** Asks the program for login and usage; spends no budget. Windows are empty if it could not tell. */
  probe(place: Place, command: AgentCommand, now: () => string): Promise<Omit<AccountReading, 'account'>>

  /**
   * The dialog on this screen, if one is open. `cwd` is the session's folder: whether another one is trusted is left to a person, as
   * it is without `cwd`.
   */
  readDialog(screen: string, cwd?: string): Dialog | null

  /** Whether one of the program's commands has opened a panel, for a person to use, in place of the input line. */
  showsPanel(screen: string): boolean

  /** tmux keys that close such a panel without deciding anything; some panels take them more than once. */
  readonly closePanelKeys: readonly string[]

  /**
   * What to paste into the input line so that the model gets this text (`words`), or so that the program runs its command. Without
   * control characters. As `words`, even a text that looks like a command is not run.
   */
  toPaste(text: string, as: 'words' | 'command'): string

  /** Equal for a text and for what the program's transcript makes of it. Reveals nothing of the text. */
  fingerprint(text: string): string

  /** Whether a draft may be a pasted text, or the visible part of one. */
  isDraftOf(draft: string, given: string): boolean

  /** Describes the page on this screen at a start, in which `dialog` was read. */
  describeStartPage(
    screen: string,
    dialog: Dialog,
    place: Place,
    command: AgentCommand,
    cwd: string,
  ): StartPage

  /**
   * Changes as soon as a person has changed something on which such pages depend, or has answered for the project at one of
   * `others`. Reveals nothing of its content.
   */
  startPageFingerprint(place: Place, cwd: string, others: readonly Place[]): Promise<string>

  /** The next step in giving this answer to the question on the screen. `pasted`: its text was pasted already. */
  nextAnswerStep(question: Question, answer: string, pasted: boolean): AnswerStep

  /**
   * Background tasks and plans of the process that wrote from `offset` (bytes) on, as far as the transcript shows neither their end
   * nor that the model knows of it.
   */
  readUnfinishedWork(transcript: string, offset: number): Promise<UnfinishedWork>

  /** Copies the transcripts of subagents to another transcript of the same conversation. Returns those that can be continued there. */
  copySubagents(from: string, to: string, ids: readonly string[]): Promise<string[]>

  /** Whether the conversation shows that the plan was carried out, replaced or cancelled after `since`. */
  isPlanOver(
    transcript: string,
    plan: Pick<ScheduledPrompt, 'id' | 'prompt'>,
    since: string,
  ): Promise<boolean>

  /** Unsent text in the input line as far as the screen shows it, or null if it is empty. */
  readDraft(screen: string): string | null

  /** Whether the screen shows all of the unsent text: nothing is scrolled away, and nothing is a placeholder. */
  showsWholeDraft(screen: string): boolean

  /** Whether the draft names a picture or a paste by a placeholder, whose content only the program has. */
  hasPlaceholder(draft: string): boolean

  /** Whether the input line shows an earlier prompt: the draft is kept, and shown again below the newest prompt. */
  showsEarlierPrompt(screen: string): boolean

  /** tmux keys that go on towards the draft, to be pressed until no earlier prompt is shown. */
  readonly leaveHistoryKeys: readonly string[]

  /** Whether the input line takes words for the model, or commands for a shell; null if it can't be seen. */
  readInputMode(screen: string): 'words' | 'shell' | null

  /** tmux keys that bring an empty input line back from shell commands to words. */
  readonly exitShellModeKeys: readonly string[]

  /** tmux keys that make an empty input line take commands for a shell. */
  readonly enterShellModeKeys: readonly string[]

  /** Whether the program holds a stashed draft, of which there can be only one. */
  hasStashedDraft(screen: string): boolean

  /** tmux keys that stash the whole draft; the program restores it after the next prompt. */
  readonly stashKeys: readonly string[]

  /**
   * tmux keys that make the program open its draft in an editor, which writes it to `drafts/draft` in the launch folder if
   * `drafts/wanted` exists: the screen shows only placeholders for long pastes, and cuts long lines.
   */
  readonly exportDraftKeys: readonly string[]

  /** tmux keys that delete a part of a draft; pressed until none is left. */
  readonly clearDraftKeys: readonly string[]

  /** A draft as it can be pasted into another process, whose input line is in the given mode. */
  toPortableDraft(draft: string, mode: 'words' | 'shell'): string

  /** Whether the input line accepts text: no dialog is open that a text would answer by mistake. */
  takesInput(screen: string): boolean
}
