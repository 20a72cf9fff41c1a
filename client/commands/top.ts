/** `outpool top`: the fleet on one screen, kept fresh, until a person leaves it. */
import { emitKeypressEvents } from 'node:readline'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import { type Call, print } from '../commandContext.js'
import { hasPane, runAttached } from './attach.js'
import { lookAtFleet } from '../top/fleet.js'
import { type Fleet, inOrder, screen } from '../top/screen.js'

/** Each look costs the engine one list and one query; nobody reads faster. */
const lookEveryMs = 2_000

const enter = '\u001b[?1049h\u001b[?25l'
const leave = '\u001b[?25h\u001b[?1049l'
const toStart = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

export async function top(call: Call): Promise<void> {
  const config = loadConfig({ path: call.config })
  const home = openHome()
  const look = (before: Fleet | null): Promise<Fleet> => lookAtFleet(home, config, before)
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    const view = { columns: call.width, lines: Infinity, colors: call.colors, chosen: null }
    print(
      screen(await look(null), view)
        .slice(0, -1)
        .join('\n'),
    )
    return
  }
  const attach = async (name: string): Promise<void> => {
    if (hasPane(home, name)) await runAttached(home, name)
  }
  await new Screen(call, look, attach).run()
}

class Screen {
  readonly #call: Call
  readonly #look: (before: Fleet | null) => Promise<Fleet>
  readonly #attach: (name: string) => Promise<void>
  #fleet: Fleet | null = null
  #chosen: string | null = null
  #timer: NodeJS.Timeout | null = null
  #attached = false
  #left: () => void = () => undefined
  #failed: (error: unknown) => void = () => undefined

  constructor(
    call: Call,
    look: (before: Fleet | null) => Promise<Fleet>,
    attach: (name: string) => Promise<void>,
  ) {
    this.#call = call
    this.#look = look
    this.#attach = attach
  }

  async run(): Promise<void> {
    const left = new Promise<void>((resolve, reject) => {
      this.#left = resolve
      this.#failed = reject
    })
    const redraw = (): void => this.#draw()
    emitKeypressEvents(process.stdin)
    process.stdin.on('keypress', this.#press)
    process.stdout.on('resize', redraw)
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, this.#left)
    this.#take()
    this.#again()
    try {
      await left
    } finally {
      if (this.#timer) clearTimeout(this.#timer)
      process.stdin.off('keypress', this.#press)
      process.stdout.off('resize', redraw)
      this.#give()
      process.stdin.unref()
    }
  }

  #take(): void {
    process.stdin.setRawMode(true)
    process.stdin.resume()
    process.stdout.write(enter)
    this.#draw()
  }

  #give(): void {
    process.stdout.write(leave)
    process.stdin.setRawMode(false)
    process.stdin.pause()
  }

  #again(): void {
    this.#look(this.#fleet).then(
      (fleet) => {
        this.#fleet = fleet
        this.#draw()
        this.#timer = setTimeout(() => this.#again(), lookEveryMs)
      },
      (error: unknown) => this.#failed(error),
    )
  }

  #draw(): void {
    if (this.#attached || this.#fleet === null) return
    const { columns, rows } = process.stdout
    const view = { columns, lines: rows, colors: this.#call.colors, chosen: this.#chosen }
    const lines = screen(this.#fleet, view).map((line) => `${line}${clearLine}`)
    process.stdout.write(`${toStart}${lines.join('\r\n')}${clearBelow}`)
  }

  readonly #press = (_text: string | undefined, key: { name?: string; ctrl?: boolean }): void => {
    if (key.name === 'q' || key.name === 'escape' || (key.ctrl === true && key.name === 'c')) this.#left()
    else if (key.name === 'up' || key.name === 'k') this.#choose(-1)
    else if (key.name === 'down' || key.name === 'j') this.#choose(1)
    else if (key.name === 'return' && this.#chosen !== null) void this.#open(this.#chosen)
  }

  #choose(step: 1 | -1): void {
    const names = inOrder(this.#fleet?.sessions ?? []).map(({ name }) => name)
    const at = this.#chosen === null ? -1 : names.indexOf(this.#chosen)
    const next = at < 0 ? (step > 0 ? 0 : names.length - 1) : at + step
    this.#chosen = names[Math.max(0, Math.min(names.length - 1, next))] ?? null
    this.#draw()
  }

  /** The pane takes the terminal over; when it is left, the screen comes back. A session without a pane opens nothing. */
  async #open(name: string): Promise<void> {
    this.#attached = true
    this.#give()
    try {
      await this.#attach(name)
      this.#attached = false
      this.#take()
    } catch (error) {
      this.#failed(error)
    }
  }
}
