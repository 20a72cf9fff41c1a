/** What Outpool asks of an agent program. An adapter for another program fills this interface; nothing else knows the program. */
import type { AccountReading, Wall, Window } from '../policy/account/account.js'
import type { UnfinishedWork, ScheduledPrompt, RunningTask } from '../policy/session/backgroundTasks.js'
import type { Question } from '../policy/session/question.js'
import type { Usage } from '../policy/account/spend.js'

/** A login or a substrate on this host, with everything that makes the agent program use it. */
export interface Place {
  kind: 'account' | 'substrate'
  name: string
  /** Real, absolute path. Holds login, settings and transcripts. */
  configDir: string
  /** Already resolved: may hold secrets, so it never leaves the host nor enters a log. */
  env: Record<string, string>
}

/** How to run the program, whatever the place. */
export interface AgentCommand {
  command: string
  args: string[]
  env: Record<string, string>
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
  /** `fork` begins `sessionId` as a copy of `forkOf`, which stays as it is. */
  mode: 'new' | 'resume' | 'fork'
  forkOf?: string | null
  /** A file whose content the model is to read with the next prompt, once, whoever types it; or null. */
  handOver?: string | null
  /** Submitted as the first message, or null to wait for a person. */
  prompt: string | null
  /** Where a person may have answered for this project before: the place it comes from first. Default: none. */
  answeredAt?: readonly Place[]
  /** Folder for the files made for this launch. */
  launchDir: string
  /** Folder into which the program's hooks and status line report. */
  reportDir: string
  /** The worker's own environment, from which the program's is made. Default: `process.env`. */
  baseEnv?: Readonly<Record<string, string | undefined>>
}

/** What to run, directly (never through a shell). `env` is the whole environment. */
export interface LaunchPlan {
  argv: string[]
  env: Record<string, string>
}

/** A report of the program's own hooks or status line, as it lies in the report folder. */
export type AgentReport = { session: string; fence: number; at: string } & (
  | { kind: 'started'; sessionId: string; transcript: string; source: string }
  | { kind: 'turn-started' }
  /** With what goes on in the process beside its turns, where the program said so. */
  | { kind: 'turn-ended'; tasks?: RunningTask[]; plans?: ScheduledPrompt[] }
  | { kind: 'turn-failed'; error: string; subagent: boolean }
  | { kind: 'needs-person'; what: string }
  | { kind: 'ended'; reason: string }
  | { kind: 'quota'; windows: Window[] }
)

/** Why a turn could not go on, each with its own answer (law 6). */
export type TurnFailure =
  | { class: 'wall'; wall: Wall }
  | { class: 'login' | 'billing' | 'config' | 'context'; text: string; at: string }
  /** `refusal`: the other side would not serve us, whatever we are; null for trouble on the way. */
  | { class: 'transient'; refusal: 'rate_limit' | 'overloaded' | null; text: string; at: string }

/** What the transcript says of the main thread after a given point. */
export interface TranscriptTail {
  /** Bytes read so far: where the next look starts. Always at the end of a whole line. */
  offset: number
  /** The newest fact of the main thread: a fault stands only until the next answer. Null where nothing new was said. */
  last: { kind: 'failure'; failure: TurnFailure } | { kind: 'answer'; at: string } | null
  /** What a person, or Outpool in a person's place, said to the model; in the program's own writing. */
  prompts: string[]
  /** The same, and what was put into the program's queue: all that the program took from its input line as words. */
  entered: string[]
  /** Texts of a person that the program still holds for its next pause: not yet said to the model, lost if it dies. */
  queued: string[]
  /** Commands of the program's own that ran; `refusal` in its words, where it knows none of that name. */
  commands: { refusal: string | null }[]
  /** Prompts that a hook of the user's refused, each with the reason that the hook gave: no turn was begun for them. */
  blocked: { reason: string }[]
}

/** What the end of a transcript says, in whichever process it was written. */
export interface TranscriptEnd {
  bytes: number
  /** The newest entry that can be told from every other, and when it was written; null where there is none. */
  newest: { id: string; at: string | null } | null
  /** Whether the main thread had work in progress; `failed` where the API refused. Null where no turn was ever begun. */
  turn: 'open' | 'ended' | 'failed' | null
}

/** What was done on a fork, beyond the conversation from which it began. */
export interface ForkDigest {
  /** Oldest first. `answered` is the last that the model said in that turn, or null. */
  turns: { asked: string | null; answered: string | null }[]
  /** Absolute paths of files that the model changed, each once. */
  files: string[]
}

/** `changedAt`: ms since the epoch. */
export interface StoredConversation {
  sessionId: string
  changedAt: number
}

/** Tokens of one answer. The program writes several rows of one answer; `id` tells which belong together. */
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

/** What the model said to its user. */
export interface Answer {
  text: string
  at: string
}

export type Activity = 'busy' | 'idle' | 'waiting' | 'shell'

/** What the program says about a live process of its own. */
export interface LiveState {
  pid: number
  sessionId: string
  activity: Activity
  /** What it waits for, in the program's words. */
  waitingFor: string | null
  updatedAt: string
}

/** Which processes are meant; both where both are given. */
export interface LiveQuery {
  pids?: readonly number[]
  /** Those that hold this conversation. */
  sessionId?: string
}

/**
 * A dialog on the screen. `safeKeys` are the tmux keys that come next in answering it without deciding anything for a
 * person, or null. A dialog that has just been drawn may miss them: look again, and send what comes next then, until it is gone.
 */
export interface Dialog {
  name: string
  /** What is asked, one line, for a person. */
  prompt: string
  safeKeys: string[] | null
  /** The choices, where they can be read and are a person's to make. */
  question: Question | null
}

/** A page that stands at the program's start and that only a person can answer. */
export interface StartPage {
  /** One line: which page, and about what. Never a value out of a file. */
  what: string
  /** One line: what a person does about it. */
  remedy: string
  /** The folder in which sessions meet it; null where every session of the place does. */
  cwd: string | null
}
/** Where an answer stands that is being given to a question, and the tmux keys or the text that come next. */
export type AnswerStep =
  | { kind: 'press'; keys: string[] }
  /** To be pasted, once. */
  | { kind: 'paste'; text: string }
  /** This question does not take such an answer; says which it takes. */
  | { kind: 'refused'; why: string }

export interface AgentAdapter {
  readonly name: string
  /** Whether a conversation's id can be chosen before its first launch. */
  readonly canChooseSessionId: boolean

  /** Version of the program, for `doctor`. Throws AgentProgramError when it cannot be run. */
  version(command: AgentCommand): Promise<string>

  /**
   * Makes a place ready for unattended work in `cwd`: first-run pages, trust, and what a person has answered for this project
   * at the first of `answeredAt` that has an answer. Idempotent; merges, never overwrites, and decides nothing itself.
   */
  prepare(place: Place, cwd: string, answeredAt?: readonly Place[]): Promise<void>

  /** Writes the files of a launch and says what to run. Idempotent per fence. */
  planLaunch(input: LaunchInput): Promise<LaunchPlan>

  /** Where the conversation lies under this place, or null if it is not there. */
  findTranscript(place: Place, sessionId: string): Promise<string | null>

  /**
   * Brings the whole conversation from one place to another and proves that every byte arrived.
   * Idempotent. A target that went another way than the source is kept beside it, never lost; one that holds the whole
   * source and more (this carry is late) is left as it is.
   * Throws CarryError.
   */
  carry(input: { sessionId: string; from: Place; to: Place }): Promise<{ transcript: string; bytes: number }>

  /** Every conversation that has a transcript in this place. */
  listConversations(place: Place): Promise<StoredConversation[]>

  /** Takes the conversation away from this place, with all that belongs to it. What lies in other places stays. */
  deleteConversation(place: Place, sessionId: string): Promise<void>

  /**
   * Reads the transcript from `offset` on. Unknown rows are passed over; a half-written last line waits for the next look.
   * With `since`, rows of before that instant are passed over too: a fork begins with copies of another conversation's.
   */
  readTail(transcript: string, offset: number, since?: string | null): Promise<TranscriptTail>

  /**
   * What the end of a transcript says, or what it said when it had `upTo` bytes; null where it is not there or cannot be read.
   * Cheap, however long the conversation.
   */
  readEnd(transcript: string, upTo?: number): Promise<TranscriptEnd | null>

  /** Whether this entry itself stands in the transcript, and not only a row that refers to it. */
  containsEntry(transcript: string, id: string): Promise<boolean>

  /** The config dir in which a transcript lies, whatever the configuration names. */
  configDirOf(transcript: string): string

  /** What the fork's transcript holds beyond the original's; null where that is nothing. For files of this host only (law 11). */
  readForkDigest(fork: string, original: string | null): Promise<ForkDigest | null>

  /** Whether the transcript holds this text anywhere. */
  containsText(transcript: string, text: string): Promise<boolean>

  /** Tokens used by the conversation and its subagents beyond `marks`, which say how far each file was read. */
  readTokenUsage(transcript: string, marks: Readonly<Record<string, number>>): Promise<FileTokenUsage[]>

  /** The newest answer of the main thread from `offset` (bytes) on, or null. For files of this host only (law 11). */
  readLastAnswer(transcript: string, offset: number): Promise<Answer | null>

  /** Parses one file of the report folder; null for what is not a report of this program. */
  parseReport(fileName: string, body: string, at: string): AgentReport | null

  /**
   * The program's own word on its live processes in this place, or on those of them that are asked for. Dead processes and
   * stale files are left out. Cheap enough to be asked for hundreds of processes every other second.
   */
  readLiveStates(place: Place, only?: LiveQuery): Promise<LiveState[]>

  /** Login identity and cached windows, read without starting the program or spending anything. */
  readIdentity(place: Place): Promise<{ identity: string | null; email: string | null; windows: Window[] }>

  /** Asks the program for login and usage; spends no budget. Windows are empty where it could not say. */
  probe(place: Place, command: AgentCommand, now: () => string): Promise<Omit<AccountReading, 'account'>>

  /** The dialog on this screen, if one is open. */
  readDialog(screen: string): Dialog | null

  /** Whether one of the program's commands has opened a panel, for a person to use, in place of the input line. */
  showsPanel(screen: string): boolean

  /** tmux keys that close such a panel without deciding anything; some panels take them more than once. */
  readonly closePanelKeys: readonly string[]

  /**
   * What to paste into the input line so that the model is told this text (`words`), or so that the program runs its own
   * command. Without control characters; a text that is a command in the program's eyes stays words.
   */
  toPaste(text: string, as: 'words' | 'command'): string

  /** The same for a text that is given to the program and for what its transcript then says of it; tells nothing of either. */
  fingerprint(text: string): string

  /** Whether a draft can be (the visible part of) a text that was pasted. */
  isDraftOf(draft: string, given: string): boolean

  /** What to tell a person of the page that stands on this screen at a start, once `dialog` was read there. */
  describeStartPage(
    screen: string,
    dialog: Dialog,
    place: Place,
    command: AgentCommand,
    cwd: string,
  ): StartPage

  /**
   * Another text as soon as a person has changed something on which such pages depend there, or has answered for the project at
   * one of `others`. Holds nothing of what was changed.
   */
  startPageFingerprint(place: Place, cwd: string, others: readonly Place[]): Promise<string>
  /** What comes next in giving this answer to the question on the screen; `pasted` once its text was. */
  nextAnswerStep(question: Question, answer: string, pasted: boolean): AnswerStep

  /**
   * What the process that wrote from `offset` (bytes) on began beside its turns, as far as the transcript shows neither its end
   * nor that the model was told of it.
   */
  readUnfinishedWork(transcript: string, offset: number): Promise<UnfinishedWork>

  /** Lays what these subagents remember beside the other transcript of the same conversation; answers those that can go on there. */
  copySubagents(from: string, to: string, ids: readonly string[]): Promise<string[]>

  /** Whether the conversation shows that the plan was carried out, replaced or called off after `since`. */
  isPlanOver(
    transcript: string,
    plan: Pick<ScheduledPrompt, 'id' | 'prompt'>,
    since: string,
  ): Promise<boolean>

  /** What a person has typed but not sent, or null for an empty input line. */
  readDraft(screen: string): string | null

  /** Whether the input line takes words for the model, or commands for a shell; null where it can't be seen. */
  readInputMode(screen: string): 'words' | 'shell' | null

  /** tmux keys that bring an empty input line back from shell commands to words. */
  readonly exitShellModeKeys: readonly string[]

  /** tmux keys that make an empty input line take commands for a shell. */
  readonly enterShellModeKeys: readonly string[]

  /** Whether the program holds a draft that was put aside, of which there can be only one. */
  hasStashedDraft(screen: string): boolean

  /** tmux keys that put a draft aside, whole; the program brings it back after the next prompt. */
  readonly stashKeys: readonly string[]

  /**
   * tmux keys that make the program give its draft to an editor, which leaves it whole in `drafts/draft` of the launch folder
   * when `drafts/wanted` is there: a screen shows placeholders for long pastes, and cuts long lines.
   */
  readonly exportDraftKeys: readonly string[]

  /** tmux keys that take a part of a draft away; pressed until none is left. */
  readonly clearDraftKeys: readonly string[]

  /** A draft as it can be pasted into another process, whose input line is in the given mode. */
  toPortableDraft(draft: string, mode: 'words' | 'shell'): string

  /** Whether the input line is there to be typed into: nothing is asked that a text would answer by mistake. */
  takesInput(screen: string): boolean
}
