/** Notifies systemd, if it started us: ready, alive, stopping. */
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'

/** Node has no Unix datagram sockets; systemd ships a program for its protocol. */
const program = 'systemd-notify'
const answerWithinMs = 10_000

export class SystemdNotifier {
  /** How often a watchdog notification is due; null if systemd expects none. Milliseconds. */
  readonly notifyEvery: number | null
  readonly #socket: string
  readonly #say: (line: string) => void
  #hasFailed = false

  private constructor(socket: string, notifyEvery: number | null, say: (line: string) => void) {
    this.#socket = socket
    this.notifyEvery = notifyEvery
    this.#say = say
  }

  /**
   * Null if no service manager started us. Removes its variables from `env`, so that agents and tasks that we start cannot notify it
   * in our name.
   */
  static fromEnv(env: NodeJS.ProcessEnv, say: (line: string) => void): SystemdNotifier | null {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(env, name)
    if (socket === undefined || socket === '') return null
    const isForUs = pid === undefined || pid === String(process.pid)
    const limitMs = isForUs && /^[1-9]\d*$/.test(usec ?? '') ? Number(usec) / 1_000 : null
    // A third of the limit, since one notification may be late and another lost.
    return new SystemdNotifier(socket, limitMs === null ? null : limitMs / 3, say)
  }

  ready(): Promise<void> {
    return this.#notify('READY=1')
  }

  stopping(): Promise<void> {
    return this.#notify('STOPPING=1')
  }

  /** Notifies while there is progress, until `signal` aborts. Without notifications systemd restarts the service. */
  async notifyWhile(isProgressing: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const { notifyEvery } = this
    if (notifyEvery === null) return
    while (!signal.aborted) {
      if (await isProgressing()) await this.#notify('WATCHDOG=1')
      else this.#say('no progress: the watchdog notification to systemd is withheld')
      await delay(notifyEvery, undefined, { signal }).catch(() => undefined)
    }
  }

  async #notify(state: string): Promise<void> {
    const { failed, shortMessage } = await execa(program, [state], {
      ...{ env: { NOTIFY_SOCKET: this.#socket }, timeout: answerWithinMs, reject: false },
    })
    if (failed && !this.#hasFailed)
      this.#say(`systemd could not be notified (${state}): ${shortMessage ?? program}`)
    this.#hasFailed = failed
  }
}
