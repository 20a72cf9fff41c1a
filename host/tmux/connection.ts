/**
 * A permanent connection to a tmux server in tmux's control mode: a command is a line on a pipe instead of a process. That is
 * about twenty times cheaper, and does not block the event loop as starting a process does.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** Separates two commands in one list of arguments. No text can be mistaken for it, so none that ends in `;` begins a command. */
export const nextCommand = { separates: 'commands' } as const
export type TmuxArgument = string | typeof nextCommand

export interface TmuxAnswer {
  exitCode: number
  stdout: string
  stderr: string
}

/**
 * The client of the connection has to be attached to a tmux session. No Outpool session can have this name. Its program never ends:
 * the terminal of an ended program would be reused by the next process that opens one, and tmux would refuse to attach there
 * ("sessions should be nested with care").
 */
const ownSession = 'Outpool'
const ownPane = ['cat']

interface PendingCommand {
  /** Number of blocks that are still expected: one for each command of the line, unless one fails. */
  left: number
  lines: string[]
  settle: (answer: TmuxAnswer | null) => void
}

export class TmuxConnection {
  readonly #client: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting: PendingCommand[] = []
  #block: { id: string; lines: string[]; isOurs: boolean } | null = null
  #isOpen = true
  #ready: (isReady: boolean) => void = () => undefined

  private constructor(base: readonly string[], env: NodeJS.ProcessEnv) {
    const args = [...base, '-C', 'new-session', '-A', '-s', ownSession, ...ownPane]
    this.#client = spawn('tmux', args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
    // First: a process that can't be started has no stdin, in spite of its type.
    this.#client.on('error', () => this.close())
    this.#client.stdin.on('error', () => this.close())
    this.#client.on('exit', () => this.close())
    createInterface({ input: this.#client.stdout }).on('line', (line) => this.#readLine(line))
  }

  /** Connects to a running server; null if that fails. `base`: the arguments that name the server. */
  static async open(base: readonly string[], env: NodeJS.ProcessEnv): Promise<TmuxConnection | null> {
    const connection = new TmuxConnection(base, env)
    const isReady = new Promise<boolean>((resolve) => (connection.#ready = resolve))
    const late = setTimeout(() => connection.close(), openWithin)
    const opened = await isReady
    clearTimeout(late)
    if (!opened) return null
    await connection.#endOthers()
    return connection
  }

  /**
   * The client of a worker that was killed may remain: tmux (3.3a) waits for ever until its last output is read, and until then
   * not even `kill-server` ends it. There is only one worker, so every other client of this session is such a remnant.
   */
  async #endOthers(): Promise<void> {
    const answer = await this.run(['list-clients', '-t', `=${ownSession}`, '-F', '#{client_pid}'])
    const pids = (answer?.stdout ?? '').split('\n').map(Number)
    for (const pid of pids) if (pid > 1 && pid !== this.#client.pid) endClient(pid)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Null if the connection was lost before the answer: the command may have been carried out or not. */
  run(args: readonly TmuxArgument[]): Promise<TmuxAnswer | null> {
    if (!this.#isOpen) return Promise.resolve(null)
    const left = args.filter((arg) => arg === nextCommand).length + 1
    return new Promise((resolve) => {
      const late = setTimeout(() => this.close(), answerWithin)
      const settle: PendingCommand['settle'] = (answer) => {
        clearTimeout(late)
        resolve(answer)
      }
      this.#waiting.push({ left, lines: [], settle })
      this.#client.stdin.write(`${args.map(quoted).join(' ')}\n`)
    })
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#ready(false)
    this.#client.stdin.destroy()
    this.#client.kill()
    for (const { settle } of this.#waiting.splice(0)) settle(null)
  }

  /** The lines between `%begin` and its `%end` or `%error` are one command's output; other lines are notifications. */
  #readLine(line: string): void {
    const block = this.#block
    if (block === null) {
      const [, id = '', flags = ''] = /^%begin \d+ (\d+) (\d+)$/.exec(line) ?? []
      // Commands from the pipe have the flag 1; the one that opened the connection has not.
      if (id !== '') this.#block = { id, lines: [], isOurs: flags === '1' }
      return
    }
    const [, how, id] = /^%(end|error) \d+ (\d+) \d+$/.exec(line) ?? []
    if (id !== block.id) {
      block.lines.push(line)
      return
    }
    this.#block = null
    if (block.isOurs) this.#answer(block.lines, how === 'error')
    else this.#ready(how === 'end')
  }

  #answer(lines: string[], hasFailed: boolean): void {
    const waiting = this.#waiting[0]
    if (!waiting) return
    waiting.left -= 1
    if (!hasFailed) waiting.lines.push(...lines)
    if (waiting.left > 0 && !hasFailed) return
    this.#waiting.shift()
    const stdout = waiting.lines.join('\n')
    waiting.settle({ exitCode: hasFailed ? 1 : 0, stdout, stderr: hasFailed ? lines.join('\n') : '' })
  }
}

/** A live server answers at once, even on a busy machine. */
const openWithin = 10_000
const answerWithin = 10_000

function endClient(pid: number): void {
  try {
    process.kill(pid)
  } catch {
    // It has ended meanwhile.
  }
}

/** Whether these arguments fit on one line. */
export const fitsOneLine = (args: readonly TmuxArgument[]): boolean =>
  !args.some((arg) => typeof arg === 'string' && /[\n\r\0]/.test(arg))

const quoted = (arg: TmuxArgument): string =>
  typeof arg === 'string' ? `'${arg.replaceAll("'", `'\\''`)}'` : ';'

/** The same for the command line of a separate process, where tmux splits at each argument that ends in `;`. */
export const asProcessArguments = (args: readonly TmuxArgument[]): string[] =>
  args.map((arg) => (typeof arg === 'string' ? arg.replace(/;$/, String.raw`\;`) : ';'))
