/** Speaking to systemd, where it started us: ready, alive, stopping. */
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'

/** Node has no datagram sockets of Unix; systemd brings a program of its own for its protocol. */
const program = 'systemd-notify'
const answerWithinMs = 10_000

export class ServiceManager {
  /** How often a sign of life is due; null where none is asked for. Milliseconds. */
  readonly notifyEvery: number | null
  readonly #socket: string
  readonly #say: (line: string) => void
  #hasFailed = false

  private constructor(socket: string, beatEvery: number | null, say: (line: string) => void) {
    this.#socket = socket
    this.notifyEvery = beatEvery
    this.#say = say
  }

  /**
   * Null where no service manager listens. Takes its variables out of `env`: what we start, agents and tasks, is not to speak
   * in our name.
   */
  static fromEnv(env: NodeJS.ProcessEnv, say: (line: string) => void): ServiceManager | null {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(env, name)
    if (socket === undefined || socket === '') return null
    const isForUs = pid === undefined || pid === String(process.pid)
    const limitMs = isForUs && /^[1-9]\d*$/.test(usec ?? '') ? Number(usec) / 1_000 : null
    // A third of the limit, as one beat may come late and another be lost.
    return new ServiceManager(socket, limitMs === null ? null : limitMs / 3, say)
  }

  ready(): Promise<void> {
    return this.#notify('READY=1')
  }

  stopping(): Promise<void> {
    return this.#notify('STOPPING=1')
  }

  /** Beats while there is progress, until `signal` says stop. A beat that is left out says: start me anew. */
  async notifyWhile(isProgressing: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const { notifyEvery: beatEvery } = this
    if (beatEvery === null) return
    while (!signal.aborted) {
      if (await isProgressing()) await this.#notify('WATCHDOG=1')
      else this.#say('no progress: systemd is given no sign of life')
      await delay(beatEvery, undefined, { signal }).catch(() => undefined)
    }
  }

  async #notify(state: string): Promise<void> {
    const { failed, shortMessage } = await execa(program, [state], {
      ...{ env: { NOTIFY_SOCKET: this.#socket }, timeout: answerWithinMs, reject: false },
    })
    if (failed && !this.#hasFailed) this.#say(`systemd was not told ${state}: ${shortMessage ?? program}`)
    this.#hasFailed = failed
  }
}
