/** What an adapter reads from the screen when its program asks something, and how it answers. */
import type { Question } from '../../policy/session/question.js'
import type { AgentCommand, Place } from './place.js'

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

export interface DialogAdapter {
  /**
   * The dialog on this screen, if one is open. `cwd` is the session's folder: whether another one is trusted is left to a person, as
   * it is without `cwd`.
   */
  readDialog(screen: string, cwd?: string): Dialog | null

  /** Whether one of the program's commands has opened a panel, for a person to use, in place of the input line. */
  showsPanel(screen: string): boolean

  /** tmux keys that close such a panel without deciding anything; some panels take them more than once. */
  readonly closePanelKeys: readonly string[]

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
}
