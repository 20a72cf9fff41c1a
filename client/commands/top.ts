/** `outpool top`: the fleet on one screen, refreshed until a person quits. */
import { emitKeypressEvents } from 'node:readline'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import { printableInColor } from '../../policy/printable.js'
import { type CommandContext, print } from '../commandContext.js'
import { hasPane } from '../tmux/server.js'
import { runAttached } from './attach.js'
import { drawable } from '../output/terminal.js'
import { readFleet } from '../top/fleet.js'
import { type Fleet, inOrder, screen } from '../top/screen.js'

/** Soon enough for a person who watches; each refresh costs the engine one list and one query. */
const refreshEveryMs = 2_000

const enter = '\u001b[?1049h\u001b[?25l'
const exit = '\u001b[?25h\u001b[?1049l'
const toStart = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

export async function top(context: CommandContext): Promise<void> {
  const config = loadConfig({ path: context.config })
  const home = openHome()
  const read = (before: Fleet | null): Promise<Fleet> => readFleet(context.fleet, home, config, before)
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    const view = { columns: context.width, lines: Infinity, colors: context.colors, chosen: null }
    print(
      screen(await read(null), view)
        .slice(0, -1)
        .join('\n'),
    )
    return
  }
  const attach = async (name: string): Promise<void> => {
    if (await hasPane(home, name)) await runAttached(home, name)
  }
  await new Screen(context, read, attach).run()
}

class Screen {
  readonly #context: CommandContext
  readonly #readFleet: (before: Fleet | null) => Promise<Fleet>
  readonly #attach: (name: string) => Promise<void>
  #fleet: Fleet | null = null
  #selected: string | null = null
  #timer: NodeJS.Timeout | null = null
  #attached = false
  #quit: () => void = () => undefined
  #fail: (error: unknown) => void = () => undefined

  constructor(
    context: CommandContext,
    read: (before: Fleet | null) => Promise<Fleet>,
    attach: (name: string) => Promise<void>,
  ) {
    this.#context = context
    this.#readFleet = read
    this.#attach = attach
  }

  async run(): Promise<void> {
    const quit = new Promise<void>((resolve, reject) => {
      this.#quit = resolve
      this.#fail = reject
    })
    const redraw = (): void => this.#draw()
    emitKeypressEvents(process.stdin)
    process.stdin.on('keypress', this.#press)
    process.stdout.on('resize', redraw)
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, this.#quit)
    this.#enterScreen()
    this.#scheduleRefresh()
    try {
      await quit
    } finally {
      if (this.#timer) clearTimeout(this.#timer)
      process.stdin.off('keypress', this.#press)
      process.stdout.off('resize', redraw)
      this.#leaveScreen()
      process.stdin.unref()
    }
  }

  #enterScreen(): void {
    process.stdin.setRawMode(true)
    process.stdin.resume()
    process.stdout.write(enter)
    this.#draw()
  }

  #leaveScreen(): void {
    process.stdout.write(exit)
    process.stdin.setRawMode(false)
    process.stdin.pause()
  }

  #scheduleRefresh(): void {
    this.#readFleet(this.#fleet).then(
      (fleet) => {
        this.#fleet = fleet
        this.#draw()
        this.#timer = setTimeout(() => this.#scheduleRefresh(), refreshEveryMs)
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #draw(): void {
    if (this.#attached || this.#fleet === null) return
    const { columns, rows } = process.stdout
    const view = { columns, lines: rows, colors: this.#context.colors, chosen: this.#selected }
    const lines = screen(this.#fleet, view).map(
      (line) => `${drawable(printableInColor(line), process.stdout)}${clearLine}`,
    )
    process.stdout.write(`${toStart}${lines.join('\r\n')}${clearBelow}`)
  }

  readonly #press = (_text: string | undefined, key: { name?: string; ctrl?: boolean }): void => {
    if (key.name === 'q' || key.name === 'escape' || (key.ctrl === true && key.name === 'c')) this.#quit()
    else if (key.name === 'up' || key.name === 'k') this.#moveSelection(-1)
    else if (key.name === 'down' || key.name === 'j') this.#moveSelection(1)
    else if (key.name === 'return' && this.#selected !== null) void this.#open(this.#selected)
  }

  #moveSelection(step: 1 | -1): void {
    const names = inOrder(this.#fleet?.sessions ?? []).map(({ name }) => name)
    const at = this.#selected === null ? -1 : names.indexOf(this.#selected)
    const next = at < 0 ? (step > 0 ? 0 : names.length - 1) : at + step
    this.#selected = names[Math.max(0, Math.min(names.length - 1, next))] ?? null
    this.#draw()
  }

  /** The pane takes over the terminal until the person detaches. A session without a pane opens nothing. */
  async #open(name: string): Promise<void> {
    this.#attached = true
    this.#leaveScreen()
    try {
      await this.#attach(name)
      this.#attached = false
      this.#enterScreen()
    } catch (error) {
      this.#fail(error)
    }
  }
}
