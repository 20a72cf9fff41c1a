/** How a worker is asked to stop, even while it is starting: by Ctrl-C, a signal, or the end of the command that started it. */

/** Thrown when a stop is requested while the worker is starting. */
export class StoppedEarlyError extends Error {
  override readonly name = 'StoppedEarlyError'

  constructor(reason: string) {
    super(`${reason}: stopped before it was ready`)
  }
}

export class StopRequest {
  /** Resolves with the reason. */
  readonly requested: Promise<string>
  /** Aborts at the same moment. */
  readonly signal: AbortSignal

  constructor() {
    const stopping = new AbortController()
    let resolve: (reason: string) => void = () => undefined
    this.requested = new Promise((settle) => (resolve = settle))
    this.signal = stopping.signal
    const request = (reason: string): void => {
      resolve(reason)
      stopping.abort()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => request(signal === 'SIGINT' ? 'Ctrl-C' : signal))
    const orphaned = (): void => request('the command that started this worker was killed')
    process.on('disconnect', orphaned)
    if (parentCommand() === 0) orphaned()
  }

  /** The result of the work. Throws StoppedEarlyError if a stop is requested first; the work goes on meanwhile. */
  async before<T>(work: Promise<T>): Promise<T> {
    const stopped = this.requested.then((reason) => {
      throw new StoppedEarlyError(reason)
    })
    return Promise.race([work, stopped])
  }
}

/** Process id of the command that started us and ends with us; null if there is none, 0 if it has already ended. */
export const parentCommand = (): number | null =>
  process.channel === undefined ? null : process.connected ? process.ppid : 0
