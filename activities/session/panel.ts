/** Closes the panel that a command of the agent program has opened, so that later texts reach the input line. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Tmux } from '../../host/tmux/tmux.js'

/** In a panel with a search, the first press leaves the search only. */
const maxKeyPresses = 4
/** The screen shows the effect of a key at once, but on a busy machine only after a moment. Milliseconds. */
const shownWithin = 5_000
/** A panel fills itself in while it is open, so a changed screen is the effect of a key only if it then stays. Milliseconds. */
const steadyFor = 1_000
const pollEvery = 50

/**
 * True once a panel was closed and the input line is back. False if none is open, if it does not close, or if a person is
 * attached, to whom the panel then belongs. A key is pressed only while a panel is seen: at the input line the same key means
 * something else, and pressed twice it opens another panel.
 */
export async function closePanel(tmux: Tmux, adapter: AgentAdapter, session: string): Promise<boolean> {
  const begun = performance.now()
  for (let keyPresses = 0; keyPresses < maxKeyPresses; keyPresses++) {
    const pane = await tmux.pane(session)
    if (pane === null || pane.dead || pane.visited === 'now') return false
    const before = await tmux.colouredScreen(pane.id)
    if (!adapter.showsPanel(before)) return false
    await tmux.press(pane.id, adapter.closePanelKeys)
    const after = await screenAfterKey(tmux, adapter, pane.id, before, keyPresses === 0 ? null : begun)
    if (adapter.takesInput(after)) return true
    if (after === before) return false
  }
  return false
}

/**
 * The screen once the input line is back, or a panel has changed and then stayed. `firstKeyAt` is null for the first key. A later
 * one may have been one too many, which shows as late as the effect of the first key did: the line then has to stay that long.
 */
async function screenAfterKey(
  tmux: Tmux,
  adapter: AgentAdapter,
  pane: string,
  before: string,
  firstKeyAt: number | null,
): Promise<string> {
  const until = performance.now() + shownWithin
  let shown = before
  let shownAt = performance.now()
  while (performance.now() < until) {
    await delay(pollEvery)
    const now = await tmux.colouredScreen(pane)
    if (now !== shown) [shown, shownAt] = [now, performance.now()]
    const stayed = performance.now() - shownAt
    if (adapter.takesInput(shown) && (firstKeyAt === null || stayed >= shownAt - firstKeyAt)) return shown
    // While it is drawn again, the screen may show neither the panel nor the line.
    if (shown !== before && stayed >= steadyFor && adapter.showsPanel(shown)) return shown
  }
  return shown
}
