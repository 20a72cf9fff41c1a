/**
 * The connection between a worker and its engine, which a test can cut or stall: a TCP proxy on this machine.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

interface ProxyState {
  mode: 'intact' | 'cut' | 'stalled' | 'deaf'
}

export class BreakableProxy {
  readonly address: string
  readonly #server: Server
  readonly #sockets: ReadonlySet<Socket>
  readonly #unanswered: ReadonlySet<Socket>
  readonly #state: ProxyState

  private constructor(
    address: string,
    server: Server,
    sockets: { open: ReadonlySet<Socket>; unanswered: ReadonlySet<Socket> },
    state: ProxyState,
  ) {
    this.address = address
    this.#server = server
    this.#sockets = sockets.open
    this.#unanswered = sockets.unanswered
    this.#state = state
  }

  static async open(engine: string): Promise<BreakableProxy> {
    const [host = '', port = ''] = engine.split(':')
    const sockets = new Set<Socket>()
    const unanswered = new Set<Socket>()
    const state: ProxyState = { mode: 'intact' }
    const server = createServer((near) => {
      if (state.mode === 'cut') {
        near.resetAndDestroy()
        return
      }
      if (state.mode === 'deaf') {
        unanswered.add(near)
        near.on('error', () => undefined).on('close', () => unanswered.delete(near))
        near.resume()
        return
      }
      const far = connect(Number(port), host)
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one)
        one.on('data', (bytes) => void other.write(bytes))
        if (state.mode === 'stalled') one.pause()
        one.on('error', () => undefined)
        one.on('close', () => {
          sockets.delete(one)
          other.destroy()
        })
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const at = server.address()
    if (at === null || typeof at === 'string') throw new Error('the proxy has no port')
    return new BreakableProxy(`127.0.0.1:${at.port}`, server, { open: sockets, unanswered }, state)
  }

  /** Open connections are broken, and new ones are refused, as by an engine that is down. */
  cut(): void {
    this.#state.mode = 'cut'
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /**
   * Open connections are broken; new ones are accepted and never answered, not even after `restore`, as by a load
   * balancer that has lost its target.
   */
  deafen(): void {
    this.cut()
    this.#state.mode = 'deaf'
  }

  /** The accepted connections that are never answered and still open. */
  get unanswered(): number {
    return this.#unanswered.size
  }

  /** No data passes, and nothing is refused, as with an unplugged cable. */
  stall(): void {
    this.#state.mode = 'stalled'
    this.stallOpen()
  }

  /** No data passes on the open connections; new ones are intact. */
  stallOpen(): void {
    for (const socket of this.#sockets) socket.pause()
  }

  restore(): void {
    this.#state.mode = 'intact'
    for (const socket of this.#sockets) socket.resume()
  }

  async close(): Promise<void> {
    this.cut()
    for (const socket of this.#unanswered) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
