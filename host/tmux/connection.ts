/**
 * A standing connection to a tmux server, in tmux's own control mode: a command is a line on a pipe instead of a process,
 * some twenty times cheaper, and it does not hold up the event loop as the start of a process does.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

export interface TmuxAnswer {
  exitCode: number
  stdout: string
  stderr: string
}

/**
 * The client of the connection has to be attached to a session; none of Outpool's own can have this name. Its program
 * waits for ever: the terminal of one that has ended is given to the next who opens one, whom tmux would then refuse to
 * attach ("sessions should be nested with care").
 */
const ownSession = 'Outpool'
const ownPane = ['cat']

interface PendingCommand {
  /** Blocks still to come: one for each command of the line, unless one fails. */
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
    this.#client.stdin.on('error', () => this.close())
    this.#client.on('error', () => this.close())
    this.#client.on('exit', () => this.close())
    createInterface({ input: this.#client.stdout }).on('line', (line) => this.#readLine(line))
  }

  /** To a server that runs; null where it does not take the connection. `base`: the arguments that name the server. */
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
   * The client of a worker that was killed may stay: tmux (3.3a) waits for ever until its last words are read, and does not
   * even end by `kill-server` before. There is one worker, so that every other client of this session is such a one.
   */
  async #endOthers(): Promise<void> {
    const answer = await this.run(['list-clients', '-t', `=${ownSession}`, '-F', '#{client_pid}'])
    const pids = (answer?.stdout ?? '').split('\n').map(Number)
    for (const pid of pids) if (pid > 1 && pid !== this.#client.pid) endClient(pid)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Null where the connection was lost before the answer: what was asked may have been done, or not. */
  run(args: readonly string[]): Promise<TmuxAnswer | null> {
    if (!this.#isOpen) return Promise.resolve(null)
    const left = args.filter((arg) => arg === ';').length + 1
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

  /** Between `%begin` and its `%end` or `%error` stands one command's output; all else is news of the server. */
  #readLine(line: string): void {
    const block = this.#block
    if (block === null) {
      const [, id = '', flags = ''] = /^%begin \d+ (\d+) (\d+)$/.exec(line) ?? []
      // Commands that came through the pipe bear the flag 1, the one that made the connection does not.
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

/** A server that lives answers at once, whatever the machine is busy with. */
const openWithin = 10_000
const answerWithin = 10_000

function endClient(pid: number): void {
  try {
    process.kill(pid)
  } catch {
    // It has gone meanwhile.
  }
}

/** Whether these arguments can stand on one line. */
export const fitsOneLine = (args: readonly string[]): boolean => !args.some((arg) => /[\n\r\0]/.test(arg))

const quoted = (arg: string): string => (arg === ';' ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)
