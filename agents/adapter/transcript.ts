/** What an adapter reads from the transcript of a conversation. */
import type { Wall } from '../../policy/account/account.js'
import type { Usage } from '../../policy/account/spend.js'

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

/** The end of a transcript; any process may have written it. */
export interface TranscriptEnd {
  bytes: number
  /** The newest entry with an id, and when it was written; null if there is none. */
  newest: { id: string; at: string | null } | null
  /** Whether the main thread had work in progress; `failed` if the API refused. Null if no turn was ever begun. */
  turn: 'open' | 'ended' | 'failed' | null
}

/** A text of the model for its user. */
export interface Answer {
  text: string
  at: string
}

/** What was done on a fork, beyond the original conversation. */
export interface ForkDigest {
  /** Oldest first. `answered` is the model's last answer in that turn, or null. */
  turns: { asked: string | null; answered: string | null }[]
  /** Absolute paths of files that the model changed, each once. */
  files: string[]
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

export interface TranscriptAdapter {
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

  /** Whether the transcript holds this text anywhere. */
  containsText(transcript: string, text: string): Promise<boolean>

  /** The newest answer of the main thread from `offset` (bytes) on, or null. Only for files of this host (law 11). */
  readLastAnswer(transcript: string, offset: number): Promise<Answer | null>

  /** What the fork's transcript holds beyond the original's, or null. Only for files of this host (law 11). */
  readForkDigest(fork: string, original: string | null): Promise<ForkDigest | null>

  /** Tokens used by the conversation and its subagents after `marks`: how far each file was read before. */
  readTokenUsage(transcript: string, marks: Readonly<Record<string, number>>): Promise<FileTokenUsage[]>
}
