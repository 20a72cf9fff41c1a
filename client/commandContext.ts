/** One call of a command: its arguments and options as commander parsed them. */
import type { Colors } from 'picocolors/types.js'
import { colorsFor } from '../config/colors.js'
import { printableJson } from '../policy/printable.js'
import { UsageError } from './errors.js'
import { FleetReader } from './fleet/fleetReader.js'
import { drawable, widthOf, writeText } from './output/terminal.js'

/** As commander names the option. */
const inCamelCase = (name: string): string =>
  name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())

export class CommandContext {
  readonly args: readonly string[]
  readonly fleet: FleetReader
  readonly #options: Readonly<Record<string, unknown>>

  constructor(
    args: readonly string[],
    options: Readonly<Record<string, unknown>>,
    fleet = new FleetReader(),
  ) {
    this.args = args
    this.fleet = fleet
    this.#options = options
  }

  /** Whether a flag, such as `dry-run`, was given. */
  flag(name: string): boolean {
    return this.#options[inCamelCase(name)] === true
  }

  /** The value of an option, such as `log-level`, or null if it was not given. */
  option(name: string): string | null {
    const value = this.#options[inCamelCase(name)]
    return typeof value === 'string' ? value : null
  }

  /** The argument at this position. Throws UsageError if it is missing. */
  argument(index: number, what: string): string {
    const value = this.args[index]
    if (value === undefined) throw new UsageError(`${what} is missing`, 'see the command with --help')
    return value
  }

  get config(): string | undefined {
    return this.option('config') ?? undefined
  }

  get json(): boolean {
    return this.flag('json')
  }

  get colors(): Colors {
    return colorsFor(process.stdout)
  }

  get width(): number {
    return widthOf(process.stdout)
  }
}

export const print = (text: string): void => writeText(process.stdout, `${drawable(text, process.stdout)}\n`)
export const printJson = (value: unknown): void =>
  writeText(process.stdout, `${printableJson(JSON.stringify(value, null, 2))}\n`)

export const printJsonLine = (value: unknown): void => writeText(process.stdout, `${JSON.stringify(value)}\n`)

/** A remark for a person: on stderr, so that it does not mix with output that a program reads. */
export function printNotice(text: string): void {
  const colors = colorsFor(process.stderr)
  writeText(process.stderr, `${colors.dim(`outpool: ${text}`)}\n`)
}
