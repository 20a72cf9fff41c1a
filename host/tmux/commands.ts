/** Runs commands of tmux on Outpool's server: over one connection that stays open, or as a process each while there is none. */
import { execa } from 'execa'
import { TmuxFailedError } from '../errors.js'
import { log } from '../log.js'
import { measures } from '../measures.js'
import {
  asProcessArguments,
  fitsOneLine,
  type TmuxAnswer,
  type TmuxArgument,
  TmuxConnection,
} from './connection.js'
import { bareEnvironment, type Manager, TmuxServer } from './server.js'

/** Commands that may be repeated without effect, and so are sent again if the connection was lost during them. */
const repeatable = new Set<TmuxArgument | undefined>(['list-panes', 'capture-pane', 'kill-session'])

/** How often a connection is attempted, in ms: not with every command. */
const connectEvery = 5_000

export class TmuxCommands {
  readonly #server: TmuxServer
  #connection: TmuxConnection | null = null
  #connectAgainAt = 0

  constructor(socket: string, homeDir: string, manager?: Manager | null) {
    this.#server = new TmuxServer(socket, homeDir, manager)
  }

  /** Closes the connection; the server keeps running. */
  close(): void {
    this.#connectAgainAt = Infinity
    this.#connection?.close()
  }

  /** Throws TmuxFailedError. */
  async startServer(): Promise<void> {
    const why = await this.#server.start()
    if (why !== null) throw new TmuxFailedError('start-server', why)
  }

  /** `what`: the command, for the error. Throws TmuxFailedError. */
  async runOrThrow(what: string, args: readonly TmuxArgument[]): Promise<void> {
    const { exitCode, stderr } = await this.run(args)
    if (exitCode !== 0) throw new TmuxFailedError(what, stderr)
  }

  /** `input`: what the command reads from stdin. */
  async run(args: readonly TmuxArgument[], input?: string): Promise<TmuxAnswer> {
    const began = performance.now()
    if (this.#connection?.isOpen === true && input === undefined && fitsOneLine(args)) {
      const answer = await this.#connection.run(args)
      if (answer) {
        measures.tmux.record({ ms: performance.now() - began, via: 'connection' })
        return answer
      }
      if (!repeatable.has(args[0])) return { exitCode: 1, stdout: '', stderr: 'the connection was lost' }
    }
    const answer = await this.#runAsProcess(args, input)
    measures.tmux.record({ ms: performance.now() - began, via: 'process' })
    if (answer.exitCode === 0) this.#connectSoon()
    return answer
  }

  /** Runs the command as a separate process. */
  async #runAsProcess(args: readonly TmuxArgument[], input = ''): Promise<TmuxAnswer> {
    const result = await execa('tmux', [...this.#server.argumentsIfRunning, ...asProcessArguments(args)], {
      env: bareEnvironment(),
      extendEnv: false,
      input,
      reject: false,
      stripFinalNewline: true,
      timeout: 10_000,
    })
    return {
      exitCode: result.exitCode ?? 1,
      stdout: result.stdout,
      stderr: result.stderr.trim() || (result.exitCode === 0 ? '' : result.message || 'no answer'),
    }
  }

  /** Opens the connection in the background; until it is open, each command is a process. */
  #connectSoon(): void {
    if (this.#connection?.isOpen === true || performance.now() < this.#connectAgainAt) return
    this.#connectAgainAt = performance.now() + connectEvery
    void TmuxConnection.open(this.#server.argumentsIfRunning, bareEnvironment())
      .then((connection) => {
        this.#connection = connection
      })
      // Nothing is lost: until the next try, each command is a process.
      .catch((error: unknown) => log.debug({ err: error }, 'no connection to tmux can be opened'))
  }
}
