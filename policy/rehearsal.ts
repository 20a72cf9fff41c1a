/** What is done about the version of an agent program that runs on a host. */

/** `auto`: rehearsed in the background. `ask`: a person is notified of it. `off`: nothing. */
export const rehearsalModes = ['auto', 'ask', 'off'] as const
export type RehearsalMode = (typeof rehearsalModes)[number]

/** Null: nothing. `hasFailed`: a rehearsal of this version has ended without a result, as a second one would. */
export function rehearsalStep(
  mode: RehearsalMode,
  { isRehearsed, hasFailed }: { isRehearsed: boolean; hasFailed: boolean },
): 'rehearse' | 'ask' | null {
  if (mode === 'off' || isRehearsed) return null
  return mode === 'ask' || hasFailed ? 'ask' : 'rehearse'
}
