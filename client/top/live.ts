/** Keeps the screen of `outpool top` up to date, and does what its keys ask for, until the person quits. */
import { render } from 'ink'
import { createElement } from 'react'
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { assertAttachable, runAttached } from '../commands/attach.js'
import { App } from './app.js'
import { DetailReader } from './detail.js'
import type { Fleet } from './fleet.js'
import { type Frame, frameOf } from './frame.js'
import type { Press } from './keys.js'
import type { TerminalStyle } from './terminalStyle.js'
import { type Order, progressOf } from './orders.js'
import { failure, OrdersUnderWay, problemOf } from './ordersUnderWay.js'
import { press } from './press.js'
import type { Effect } from './pressed.js'
import { initialState, type Note, type State, withFleet } from './state.js'
import { Terminal } from './terminal.js'
import { untilEnded } from './untilEnded.js'

/** Soon enough for a person who watches; each refresh costs the engine one list and one query. */
const refreshEvery = 3_000
/** A person who goes through the list is not kept waiting for each session's files. Milliseconds. */
const detailAfter = 150

export interface LiveOptions {
  home: Home
  readConfig: () => Config
  readFleet: (before: Fleet | null) => Promise<Fleet>
  style: TerminalStyle
}

export class LiveScreen {
  readonly #options: LiveOptions
  readonly #terminal = new Terminal(process.stdin, process.stdout)
  readonly #details: DetailReader
  #state: State
  #frame: Frame
  #changed: () => void = () => undefined
  #refresh: NodeJS.Timeout | null = null
  #detailTimer: NodeJS.Timeout | null = null
  #isReading = false
  /** While the terminal is another program's, and at the end. */
  #isAway = false
  #isAttaching = false
  #hasEnded = false
  #end: (error?: unknown) => void = () => undefined
  readonly #orders: OrdersUnderWay

  constructor(options: LiveOptions) {
    this.#options = options
    this.#details = new DetailReader(options.home)
    this.#orders = new OrdersUnderWay(options.home, options.readConfig)
    this.#state = initialState(this.#terminal.size)
    this.#frame = frameOf(this.#state, options.style)
  }

  /** Returns what became of the orders that were not carried out yet when the person quit. */
  async run(): Promise<Note[]> {
    this.#terminal.enter()
    const ink = render(
      createElement(App, {
        colors: this.#options.style.colors,
        subscribe: (changed) => {
          this.#changed = changed
          return () => (this.#changed = () => undefined)
        },
        frame: () => this.#frame,
        press: (pressed) => this.#press(pressed),
      }),
      {
        ...{
          stdin: this.#terminal.keys,
          stdout: this.#terminal.frames,
          exitOnCtrlC: false,
          patchConsole: false,
        },
        // Each screen as a whole: the terminal finds out itself what of it is new.
        debug: true,
      },
    )
    try {
      void this.#read()
      await untilEnded({
        screen: ink.waitUntilExit(),
        isAway: () => this.#isAway,
        resized: () => this.#resize(),
        suspended: () => this.#leave(),
        continued: () => this.#enter(),
        takeEnd: (end) => (this.#end = end),
      })
    } finally {
      this.#hasEnded = true
      this.#leave()
      ink.unmount()
    }
    return this.#orders.left()
  }

  #set(state: State): void {
    this.#state = state
    const frame = frameOf(state, this.#options.style)
    if (JSON.stringify(frame) !== JSON.stringify(this.#frame)) {
      this.#frame = frame
      this.#changed()
    }
    if (state.isDetailed && state.chosen !== null && state.chosen !== state.detail?.name)
      this.#readDetailSoon()
  }

  #press(pressed: Press): void {
    // They are meant for the pane that is being opened.
    if (this.#isAttaching) return
    const { state, effect } = press(this.#state, pressed, Date.now())
    this.#set(state)
    if (effect !== null) this.#do(effect)
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case 'quit':
        this.#end()
        return
      case 'suspend':
        // As the terminal does it: to every process of this job.
        process.kill(0, 'SIGTSTP')
        return
      case 'redraw':
        this.#terminal.redraw()
        return
      case 'attach':
        this.#attach(effect.name).catch(this.#end)
        return
      case 'order':
        this.#order(effect.order)
    }
  }

  /** The pane takes over the terminal until the person detaches. */
  async #attach(name: string): Promise<void> {
    if (this.#isAttaching) return
    this.#isAttaching = true
    const { home } = this.#options
    try {
      await assertAttachable(home, name)
      this.#leave()
      await runAttached(home, name)
    } catch (error) {
      this.#note(failure(error))
    }
    this.#isAttaching = false
    this.#enter()
  }

  #order(order: Order): void {
    this.#note({ text: progressOf(order), kind: 'hint', at: Date.now() })
    this.#orders.carryOut(order, (note) => {
      if (this.#hasEnded) return false
      this.#note(note)
      void this.#read()
      return true
    })
  }

  #note(note: Note): void {
    this.#set({ ...this.#state, note })
  }

  #resize(): void {
    this.#set({ ...this.#state, size: this.#terminal.size })
    this.#terminal.redraw()
  }

  #leave(): void {
    this.#isAway = true
    if (this.#refresh !== null) clearTimeout(this.#refresh)
    if (this.#detailTimer !== null) clearTimeout(this.#detailTimer)
    this.#terminal.leave()
  }

  #enter(): void {
    if (this.#hasEnded) return
    this.#isAway = false
    this.#terminal.enter()
    this.#resize()
    void this.#read()
  }

  async #read(): Promise<void> {
    if (this.#isReading || this.#isAway) return
    this.#isReading = true
    if (this.#refresh !== null) clearTimeout(this.#refresh)
    try {
      const fleet = await this.#options.readFleet(this.#state.fleet)
      this.#set(withFleet(this.#state, fleet))
      if (this.#state.isDetailed) await this.#readDetail()
    } catch (error) {
      const { fleet } = this.#state
      // What cannot be read once may be read the next time; what never could be is a reason to end.
      if (fleet === null) this.#end(error)
      else this.#set(withFleet(this.#state, { ...fleet, problems: [problemOf(error)] }))
    } finally {
      this.#isReading = false
      this.#readLater()
    }
  }

  #readLater(): void {
    if (!this.#isAway) this.#refresh = setTimeout(() => void this.#read(), refreshEvery)
  }

  #readDetailSoon(): void {
    if (this.#detailTimer !== null) clearTimeout(this.#detailTimer)
    this.#detailTimer = setTimeout(() => void this.#readDetail().catch(this.#end), detailAfter)
  }

  async #readDetail(): Promise<void> {
    const { chosen, isDetailed } = this.#state
    if (chosen === null || !isDetailed) return
    const detail = await this.#details.read(chosen)
    if (this.#state.chosen === chosen) this.#set({ ...this.#state, detail })
  }
}
