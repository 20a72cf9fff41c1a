/** How the demonstration prints: a clock at the left, one thought per line, nothing wider than 80 columns. */
import { columnsOf, fit, oneLine, widthOf } from '../client/output/terminal.js'
import { colorsFor } from '../config/colors.js'

const most = 80
const clockColumns = 9

export class Screen {
  readonly #begin = performance.now()
  readonly #width: number
  readonly colors: ReturnType<typeof colorsFor>

  constructor(stream: NodeJS.WriteStream & { fd: 1 }) {
    this.#width = Math.min(widthOf(stream), most)
    this.colors = colorsFor(stream)
  }

  /** An unformatted line, for text with its own layout. */
  line(text = ''): void {
    process.stdout.write(`${text}\n`)
  }

  /** Something that happened now. */
  say(text: string): void {
    const seconds = ((performance.now() - this.#begin) / 1000).toFixed(1)
    const [first = '', ...rest] = this.#wrap(text)
    this.line(`${this.colors.dim(`${seconds} s`.padStart(clockColumns - 2))}  ${first}`)
    for (const line of rest) this.line(' '.repeat(clockColumns) + line)
  }

  /** The output of another program, or of the agent, unchanged and wrapped to fit. */
  quote(who: string, text: string): void {
    const head = `${' '.repeat(clockColumns)}${who} │ `
    const clean = oneLine(text)
    const indent = ' '.repeat(Math.min(clean.search(/\S|$/) + 2, 8))
    for (const [index, line] of this.#wrap(clean, columnsOf(head) + indent.length).entries())
      this.line(this.colors.dim(head) + (index === 0 ? '' : indent) + line)
  }

  /** As `quote`, for lines that only make sense unbroken. */
  cut(who: string, text: string): void {
    const head = `${' '.repeat(clockColumns)}${who} │ `
    this.line(this.colors.dim(head) + fit(oneLine(text), this.#width - columnsOf(head)))
  }

  /** More about the line before. */
  more(text: string): void {
    for (const line of this.#wrap(text)) this.line(' '.repeat(clockColumns) + line)
  }

  heading(text: string): void {
    this.line()
    this.line(this.colors.bold(text))
  }

  #wrap(text: string, taken = clockColumns): string[] {
    const columns = this.#width - taken
    const lines: string[] = []
    let line: string | null = null
    for (const word of text.split(' ')) {
      if (line !== null && columnsOf(line) + 1 + columnsOf(word) > columns) {
        lines.push(line)
        line = word
      } else line = line === null ? word : `${line} ${word}`
    }
    return [...lines, line ?? '']
  }
}
