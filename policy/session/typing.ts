/**
 * How a text is typed into an agent's input line: the next step from the state of the line. A text that costs a turn is typed at
 * most twice, and the second time only if nothing followed the first (law 13).
 */

/** Times that a text may be typed. */
export const maxTypings = 2

/** Presses of Enter for one typing: a program may use the first to reformat the text, and need another. */
export const maxEnters = 4

/** Milliseconds before a text that nothing followed is typed again: on a busy machine the screen lags behind. */
export const retypeAfter = 15_000

/** Milliseconds between two presses of Enter for the same line. */
export const enterEvery = 1_500

export interface InputLineState {
  /** How often the text was typed into this conversation. */
  typed: number
  /** How often Enter was pressed since it was typed last. */
  entered: number
  /** Milliseconds since Outpool last pressed a key; null before the first. */
  sinceLastKey: number | null
  /**
   * What followed Outpool's first Enter. `same`: a prompt with the text that was typed. `another`: a prompt, or the report of one,
   * which may or may not be that text.
   */
  followed: 'none' | 'another' | 'same'
  /**
   * `ours`: it holds the text that was typed. `other`: it holds something else, such as a person's draft. `shell`: it is empty and
   * takes shell commands. `hidden`: it is not visible.
   */
  line: 'empty' | 'ours' | 'other' | 'shell' | 'hidden'
}

/**
 * `type`: type the text. `enter`: press Enter. `aside`: put aside what the line holds. `leave-shell`: leave the shell mode. `wait`:
 * look again later. `give-up`: a person has to look.
 */
export type TypingStep = 'taken' | 'type' | 'enter' | 'aside' | 'leave-shell' | 'wait' | 'give-up'

export function nextTypingStep({ typed, entered, sinceLastKey, followed, line }: InputLineState): TypingStep {
  if (line === 'hidden') return followed === 'same' ? 'taken' : 'wait'
  // The program may reformat prompts: if the line no longer holds our text, the prompt that followed is our text.
  if (followed === 'same' || (followed === 'another' && typed > 0 && line !== 'ours')) return 'taken'
  const quiet = sinceLastKey ?? Infinity
  if (line === 'ours') {
    if (entered >= maxEnters) return quiet < retypeAfter ? 'wait' : 'give-up'
    return entered > 0 && quiet < enterEvery ? 'wait' : 'enter'
  }
  if (line === 'other') return 'aside'
  if (line === 'shell') return 'leave-shell'
  if (typed > 0 && quiet < retypeAfter) return 'wait'
  return typed < maxTypings ? 'type' : 'give-up'
}
