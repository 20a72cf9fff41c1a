/** What a check found: one line, and one more for what to do about it. */

export type FindingState = 'ok' | 'warn' | 'fail'

/** An element of `outpool doctor --json`. */
export interface Finding {
  /** What was looked at, a word or two. */
  name: string
  state: FindingState
  /** One line. */
  found: string
  /** One line of what to do; null where nothing has to be done. */
  remedy: string | null
}

export const ok = (name: string, found: string): Finding => ({ name, state: 'ok', found, remedy: null })

/** Something that a person should know, with which Outpool works all the same. */
export const warn = (name: string, found: string, remedy: string): Finding => ({
  ...{ name, state: 'warn', found, remedy },
})

/** Something that keeps Outpool, or a part of it, from working. */
export const fail = (name: string, found: string, remedy: string): Finding => ({
  ...{ name, state: 'fail', found, remedy },
})

/** An error as a finding. Errors of ours bring their remedy; an unexpected one is a fault of the check. */
export function failed(name: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error)
  const remedy = error instanceof Error && 'remedy' in error ? error.remedy : null
  return fail(
    name,
    message,
    typeof remedy === 'string' ? remedy : 'Nobody foresaw this fault of the check itself: please report it.',
  )
}
