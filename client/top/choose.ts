/** The keys that go through the list. */
import type { NamedKey } from './keys.js'
import { chooseRow, type State } from './state.js'

/** Letters that do the same as these keys. */
export const keyOfLetter: Readonly<Record<string, NamedKey>> = { j: 'down', k: 'up', g: 'home', G: 'end' }

/** Null for keys that choose nothing. */
export function choose(state: State, key: NamedKey): State | null {
  const page = Math.max(1, Math.floor(state.size.rows / 2))
  // Where one has gone from, the next one has come up.
  const [back, on] = state.chosen === null ? [1, 0] : [1, 1]
  const steps: Partial<Record<NamedKey, number>> = { up: -back, down: on, pageUp: -page, pageDown: page }
  const step = steps[key] ?? { home: -Infinity, end: Infinity }[key as string]
  return step === undefined ? null : chooseRow(state, state.row + step)
}
