/** Follows the agent's pane, and reports each of its lines once. */
import { setTimeout as delay } from 'node:timers/promises'

interface PaneLine {
  /** Of the agent that shows the line. */
  pid: number
  text: string
}

/** A line of a file, as the agent shows a change. */
export const isCode = (text: string): boolean => /^ {2,}\d+ [-+] /.test(text)

/** What the agent says, does and gets back, without frames, spinners and hints. */
const telling = [/^❯ [^\s/]/, /^● \S/, /^\s+⎿\s+(?!Tip:)\S/, /^ {2,}\d+ [-+] /]
const pollEvery = 150

interface PaneReader {
  /** Runs tmux on the demonstration's own server. Throws if there is none yet. */
  tmux: (...args: string[]) => string
  session: string
  onLine: (line: PaneLine) => void
}

export class Pane {
  readonly #reader: PaneReader
  /** The agent's own process ids, oldest first. */
  readonly pids: number[] = []
  readonly #reported = new Set<string>()
  /** The prompts of earlier agents in this pane: a resumed conversation shows them all again. */
  #before = new Set<string>()

  constructor(reader: PaneReader) {
    this.#reader = reader
  }

  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.poll()
      await delay(pollEvery, undefined, { signal }).catch(() => undefined)
    }
  }

  poll(): void {
    const { tmux, session, onLine: tell } = this.#reader
    const target = `=${session}:`
    let shown: string
    try {
      const state = ['display-message', '-p', '-t', target, '#{pane_dead} #{pane_pid}']
      shown = tmux(...state, ';', 'capture-pane', '-p', '-S', '-', '-t', target)
    } catch {
      // There is no pane yet, or no pane any more.
      return
    }
    const [state = '', ...lines] = shown.split('\n')
    const [dead, pid] = state.split(' ').map(Number)
    if (dead !== 0 || pid === undefined) return
    if (!this.pids.includes(pid)) {
      this.pids.push(pid)
      this.#before = new Set(this.#reported)
    }
    for (const text of this.#fresh(conversation(lines))) {
      if (this.#reported.has(text)) continue
      this.#reported.add(text)
      tell({ pid, text })
    }
  }

  /** Everything that a resumed agent shows before its first new prompt was said by the one before it. */
  #fresh(texts: string[]): string[] {
    if (this.pids.length < 2) return texts
    const promptIndex = texts.findIndex((text) => text.startsWith('❯') && !this.#before.has(text))
    return promptIndex < 0 ? [] : texts.slice(promptIndex)
  }
}

/**
 * Everything above the input box, which holds half-typed texts, or above the dialog in its place. A text that
 * the agent has wrapped is joined again.
 */
function conversation(lines: string[]): string[] {
  const frames = lines.flatMap((line, index) => (/^[─▔]{20,}/.test(line) ? [index] : []))
  const box = frames.at(-2) ?? frames.at(-1)
  if (box === undefined) return []
  const texts: string[] = []
  for (const line of lines.slice(0, box)) {
    const before = texts.at(-1)
    if (before !== undefined && /^[❯●] /.test(before) && /^\s{2}[^\s⎿]/.test(line)) {
      texts.splice(-1, 1, `${before} ${line.trim()}`)
    } else texts.push(line.trimEnd())
  }
  return texts.filter((text) => telling.some((form) => form.test(text)))
}
