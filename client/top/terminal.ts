/**
 * The person's terminal while the screen is shown: what goes to it and comes from it, and how it is left as it was. Ink gets streams
 * of ours, since it would otherwise draw nothing where the variable CI is set, clear what was scrolled away, and read keys that are meant
 * for an attached pane.
 */
import { PassThrough, Readable } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { columnsOf } from '../output/terminal.js'
import type { Size } from './state.js'

const escape = '\u001b'
/** Another screen, no cursor, lines that are cut instead of wrapped, pastes marked. */
const begin = ['?1049h', '?25l', '?7l', '?2004h', '2J'].map((code) => `${escape}[${code}`).join('')
const finish = ['0m', '?2004l', '?7h', '?25h', '?1049l'].map((code) => `${escape}[${code}`).join('')
/** A terminal that knows these shows everything between them at once. */
const [together, done] = [`${escape}[?2026h`, `${escape}[?2026l`]

export class Terminal {
  readonly #input: ReadStream
  readonly #output: WriteStream
  /** Keys for Ink, while the screen is shown. */
  readonly keys = Object.assign(new Readable({ read: () => undefined }), {
    ...{ isTTY: true, setRawMode: () => undefined, ref: () => undefined, unref: () => undefined },
  }) as unknown as ReadStream
  /** What Ink draws: a whole screen with each call of `write`. */
  readonly frames: WriteStream
  #isShown = false
  #last = ''
  /** What is on the terminal now. */
  #lines: string[] = []

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input
    this.#output = output
    const size = (): Size => this.size
    const write = (frame: string, written?: () => void): boolean => {
      if (frame !== '') this.#take(frame)
      written?.()
      return true
    }
    const frames = Object.assign(new PassThrough(), { write })
    Object.defineProperty(frames, 'columns', { get: () => size().columns })
    this.frames = frames as unknown as WriteStream
  }

  get size(): Size {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 }
  }

  enter(): void {
    if (this.#isShown) return
    this.#isShown = true
    this.#input.setRawMode(true)
    this.#input.on('data', this.#pass)
    this.#input.resume()
    this.#output.write(begin)
    this.redraw()
  }

  /** Gives the terminal back as it was. May be called at any time. */
  leave(): void {
    if (!this.#isShown) return
    this.#isShown = false
    this.#input.off('data', this.#pass)
    this.#input.pause()
    this.#output.write(finish)
    this.#input.setRawMode(false)
  }

  /** Whatever is on the terminal now is replaced. */
  redraw(): void {
    if (!this.#isShown) return
    this.#lines = []
    this.#draw(`${escape}[2J`)
  }

  readonly #pass = (chunk: Buffer | string): void => void this.keys.push(chunk)

  #take(frame: string): void {
    this.#last = frame
    this.#draw('')
  }

  /** Writes the lines that differ from those on the terminal. */
  #draw(first: string): void {
    if (!this.#isShown) return
    const { columns, rows } = this.size
    const lines = this.#last.split('\n').slice(0, rows)
    const count = Math.max(lines.length, this.#lines.length)
    let changed = first
    for (let row = 0; row < count; row++) {
      const line = lines[row] ?? ''
      if (line === this.#lines[row]) continue
      // At the right edge, clearing the rest of the line would take the last character.
      const end = columnsOf(line) < columns ? `${escape}[K` : ''
      changed += `${escape}[${row + 1};1H${line}${escape}[0m${end}`
    }
    this.#lines = lines
    if (changed !== '') this.#output.write(`${together}${changed}${done}`)
  }
}
