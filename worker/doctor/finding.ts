/** The result of a check: one line, and one more that says what to do. */
import { messageOf } from '../../policy/errorFacts.js'

export type FindingState = 'ok' | 'warn' | 'fail'

/** An element of `outpool doctor --json`. */
export interface Finding {
  /** What was checked, in a word or two. */
  name: string
  state: FindingState
  /** One line. */
  found: string
  /** One line that says what to do; null if nothing has to be done. */
  remedy: string | null
}

export const ok = (name: string, found: string): Finding => ({ name, state: 'ok', found, remedy: null })

/** Something that a person should know, although Outpool works. */
export const warn = (name: string, found: string, remedy: string): Finding => ({
  ...{ name, state: 'warn', found, remedy },
})

/** Something that keeps Outpool, or a part of it, from working. */
export const fail = (name: string, found: string, remedy: string): Finding => ({
  ...{ name, state: 'fail', found, remedy },
})

/** An error as a finding. Our errors have a remedy; any other error is a bug of the check. */
export function failed(name: string, error: unknown): Finding {
  const message = messageOf(error)
  const remedy = error instanceof Error && 'remedy' in error ? error.remedy : null
  return fail(
    name,
    message,
    typeof remedy === 'string'
      ? remedy
      : 'This is an unexpected error of the check itself: please report it.',
  )
}
