/** Closes the panel that a command of the agent program has opened, so that later texts reach the input line. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAdapter } from '../../agents/agent.js'
import type { Tmux } from '../../host/tmux/tmux.js'

/** A panel with a search in it leaves the search first. */
const pressesMax = 3
/** A key shows on the screen at once, on a busy machine after a moment. Milliseconds. */
const shownWithin = 5_000
const lookEvery = 50

/**
 * True once a panel was closed and the input line is back. False where none is open, it does not close, or a person is
 * attached, whose panel it is then. A key is pressed only while a panel is seen: at the input line the same key means
 * something else.
 */
export async function closePanel(tmux: Tmux, adapter: AgentAdapter, session: string): Promise<boolean> {
  for (let presses = 0; presses < pressesMax; presses++) {
    const pane = await tmux.pane(session)
    if (pane === null || pane.dead || pane.visited === 'now') return false
    const before = await tmux.colouredScreen(pane.id)
    if (!adapter.showsPanel(before)) return false
    await tmux.press(pane.id, adapter.closePanelKeys)
    const until = performance.now() + shownWithin
    let shown = before
    // Between two pictures the screen may show neither the panel nor the line.
    while (performance.now() < until && (shown === before || !isSettled(adapter, shown))) {
      await delay(lookEvery)
      shown = await tmux.colouredScreen(pane.id)
    }
    if (adapter.takesInput(shown)) return true
    if (shown === before) return false
  }
  return false
}

const isSettled = (adapter: AgentAdapter, screen: string): boolean =>
  adapter.takesInput(screen) || adapter.showsPanel(screen)
