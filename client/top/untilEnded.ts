/** Waits for the end of the screen: a person's wish, a signal, a lost terminal or a fault. */
import { inspect } from 'node:util'

/** What a shell calls the end by a signal. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const

export interface ScreenEvents {
  /** Ends with the screen, or fails with it. */
  screen: Promise<unknown>
  /** Whether the terminal is another program's now, which gets the signals of the terminal too. */
  isAway: () => boolean
  resized: () => void
  /** The process is about to be suspended. */
  suspended: () => void
  continued: () => void
  /** Gets a function that ends the screen: with an error, or well. */
  takeEnd: (end: (error?: unknown) => void) => void
}

/** Returns at a wish or a signal, whose exit code it sets. Throws what went wrong. */
export async function untilEnded(events: ScreenEvents): Promise<void> {
  const undo: (() => void)[] = []
  const on = (from: NodeJS.EventEmitter, event: string, handle: (...args: unknown[]) => void): void => {
    from.on(event, handle)
    undo.push(() => from.off(event, handle))
  }
  const suspend = (): void => {
    if (events.isAway()) return
    events.suspended()
    // Without a handler the signal suspends the process, unless no shell is there to continue it.
    process.off('SIGTSTP', suspend)
    process.kill(process.pid, 'SIGTSTP')
    setTimeout(() => {
      process.on('SIGTSTP', suspend)
      events.continued()
    }, continuesAfter)
  }
  try {
    await new Promise<void>((resolve, reject) => {
      const end = (error?: unknown): void => {
        if (error === undefined) resolve()
        else reject(error instanceof Error ? error : new Error(inspect(error)))
      }
      events.takeEnd(end)
      events.screen.then(() => end(), end)
      for (const [signal, code] of Object.entries(exitCodes))
        on(process, signal, () => {
          if (signal === 'SIGINT' && events.isAway()) return
          process.exitCode = code
          end()
        })
      on(process, 'uncaughtException', end)
      on(process, 'unhandledRejection', end)
      on(process, 'SIGTSTP', suspend)
      // SIGSTOP cannot be handled, and the shell has changed the terminal since.
      on(process, 'SIGCONT', () => {
        if (events.isAway()) return
        events.suspended()
        events.continued()
      })
      on(process.stdin, 'end', () => end())
      on(process.stdin, 'error', () => end())
      on(process.stdout, 'resize', events.resized)
    })
  } finally {
    for (const one of undo) one()
    process.off('SIGTSTP', suspend)
  }
}

/** The signal reaches the process well within this; a suspended one does not count the time. Milliseconds. */
const continuesAfter = 50
