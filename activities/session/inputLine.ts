/** Keys and pastes into the input line of an agent, and what the screen shows of them. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Host } from '../../host/host.js'
import type { Pane } from '../../host/tmux/panes.js'

/** The program takes an Enter for part of a paste if it comes with it; drawing a long paste takes longer. Milliseconds. */
const pasteSettle = 150
const pasteDrawnWithin = 2_000
const pollEvery = 30
/** An agent that reports that it runs may still have to draw its input line. */
const lineDrawnWithin = 5_000
/** Each press deletes about one line of a draft. */
const maxClearPresses = 200
/** Each press goes one line down, over all lines of the prompts between. */
const maxHistoryPresses = 500

/** The screen once the input line shows the draft; one that still shows an earlier prompt if the keys do not help. */
export async function leaveHistory(
  host: Host,
  adapter: AgentAdapter,
  pane: Pane,
  shown: string,
): Promise<string> {
  let screen = shown
  for (let presses = 0; adapter.showsEarlierPrompt(screen) && presses < maxHistoryPresses; presses++) {
    await host.tmux.press(pane.id, adapter.leaveHistoryKeys)
    await delay(pollEvery)
    screen = await host.tmux.colouredScreen(pane.id)
  }
  return screen
}

/** True once the input line is there, empty, and takes words. */
export async function clearLine(host: Host, adapter: AgentAdapter, pane: Pane): Promise<boolean> {
  for (let presses = 0; presses < maxClearPresses; presses++) {
    const screen = await untilScreen(host, pane.id, (shown) => adapter.takesInput(shown))
    if (!adapter.takesInput(screen)) return false
    const isEmpty = adapter.readDraft(screen) === null
    if (isEmpty && adapter.readInputMode(screen) === 'words') return true
    await host.tmux.press(pane.id, isEmpty ? adapter.exitShellModeKeys : adapter.clearDraftKeys)
    await delay(pollEvery)
  }
  return false
}

/** Pastes into the input line, and returns once the paste is drawn: an Enter that arrives with it would become part of it. */
export async function pasteIntoLine(
  host: Host,
  adapter: AgentAdapter,
  pane: Pane,
  pasted: string,
): Promise<void> {
  await host.tmux.paste(pane.id, pasted)
  await delay(pasteSettle)
  await untilScreen(host, pane.id, (shown) => adapter.readDraft(shown) !== null, pasteDrawnWithin)
}

/** The first screen that fits; the last one if none did in time. */
export async function untilScreen(
  host: Host,
  pane: string,
  fits: (screen: string) => boolean,
  within = lineDrawnWithin,
): Promise<string> {
  const until = performance.now() + within
  for (;;) {
    const screen = await host.tmux.colouredScreen(pane)
    if (fits(screen) || performance.now() > until) return screen
    await delay(pollEvery)
  }
}
