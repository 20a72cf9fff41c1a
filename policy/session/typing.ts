/**
 * How a text gets into an agent's input line: what follows from what is seen there. A text that costs a turn is typed at
 * most twice, and the second time only where nothing at all followed the first (law 13).
 */

/** Times that a text may be typed. */
export const maxTypings = 2

/** Presses of Enter for one typing: a program may take the first to tidy the text up, and ask for another. */
export const maxEnters = 4

/** Before a text that nothing followed is typed again, milliseconds: a busy machine shows late what it took. */
export const retypeAfter = 15_000

/** Between two presses of Enter for the same line, milliseconds. */
export const enterEvery = 1_500

export interface InputLineState {
  /** How often the text was typed into this conversation. */
  typed: number
  /** How often Enter was pressed since it was typed last. */
  entered: number
  /** Since the last key of ours, milliseconds; null before the first. */
  sinceLastKey: number | null
  /**
   * What came after our first Enter: `same`, a prompt that says what was typed; `another`, a prompt or a report of one that
   * can't be told to be ours.
   */
  followed: 'none' | 'another' | 'same'
  /**
   * `ours`: what was typed still stands there. `other`: something else does, such as a person's draft. `shell`: it is empty, and
   * takes commands for a shell. `hidden`: it can't be seen.
   */
  line: 'empty' | 'ours' | 'other' | 'shell' | 'hidden'
}

/**
 * `type` it, press `enter`, put `aside` what stands in the line, `leave-shell`, so that it takes words again, `wait` and look again, or `give-up`: a person has to look.
 */
export type TypingStep = 'taken' | 'type' | 'enter' | 'aside' | 'leave-shell' | 'wait' | 'give-up'

export function nextTypingStep({ typed, entered, sinceLastKey, followed, line }: InputLineState): TypingStep {
  if (line === 'hidden') return followed === 'same' ? 'taken' : 'wait'
  // The program writes prompts in a form of its own: where the line is no longer ours, what followed is what we typed.
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
