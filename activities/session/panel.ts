/** Closes the panel that a command of the agent program has opened, so that later texts reach the input line. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Tmux } from '../../host/tmux/tmux.js'

/** In a panel with a search, the first press leaves the search only. */
const maxKeyPresses = 3
/** The screen shows the effect of a key at once, but on a busy machine only after a moment. Milliseconds. */
const shownWithin = 5_000
const pollEvery = 50

/**
 * True once a panel was closed and the input line is back. False if none is open, if it does not close, or if a person is
 * attached, to whom the panel then belongs. A key is pressed only while a panel is seen: at the input line the same key means
 * something else.
 */
export async function closePanel(tmux: Tmux, adapter: AgentAdapter, session: string): Promise<boolean> {
  for (let keyPresses = 0; keyPresses < maxKeyPresses; keyPresses++) {
    const pane = await tmux.pane(session)
    if (pane === null || pane.dead || pane.visited === 'now') return false
    const before = await tmux.colouredScreen(pane.id)
    if (!adapter.showsPanel(before)) return false
    await tmux.press(pane.id, adapter.closePanelKeys)
    const until = performance.now() + shownWithin
    let shown = before
    // While it is drawn again, the screen may show neither the panel nor the line.
    while (performance.now() < until && (shown === before || !isSettled(adapter, shown))) {
      await delay(pollEvery)
      shown = await tmux.colouredScreen(pane.id)
    }
    if (adapter.takesInput(shown)) return true
    if (shown === before) return false
  }
  return false
}

const isSettled = (adapter: AgentAdapter, screen: string): boolean =>
  adapter.takesInput(screen) || adapter.showsPanel(screen)
