/** How an adapter types into the input line of its program, and keeps the draft of a person that it finds there. */

export interface InputLineAdapter {
  /** Whether the input line accepts text: no dialog is open that a text would answer by mistake. */
  takesInput(screen: string): boolean

  /** Whether the input line takes words for the model, or commands for a shell; null if it can't be seen. */
  readInputMode(screen: string): 'words' | 'shell' | null

  /** tmux keys that bring an empty input line back from shell commands to words. */
  readonly exitShellModeKeys: readonly string[]

  /** tmux keys that make an empty input line take commands for a shell. */
  readonly enterShellModeKeys: readonly string[]

  /**
   * What to paste into the input line so that the model gets this text (`words`), or so that the program runs its command. Without
   * control characters. As `words`, even a text that looks like a command is not run.
   */
  toPaste(text: string, as: 'words' | 'command'): string

  /** Equal for a text and for what the program's transcript makes of it. Reveals nothing of the text. */
  fingerprint(text: string): string

  /** Whether a draft may be a pasted text, or the visible part of one. */
  isDraftOf(draft: string, given: string): boolean

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
}
