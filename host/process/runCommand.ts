/** Runs a program of the user with limits on time, kept output and leftover processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { longestSecret, withoutSecrets } from '../../config/secrets/known.js'
import { isFolder } from '../isFolder.js'
import { endProcess, type ProcessRef, processStart } from './processes.js'

export interface CommandRequest {
  /** Program and arguments; no shell interprets them. */
  run: readonly string[]
  cwd: string
  /** The whole environment, secrets resolved. */
  env: Readonly<Record<string, string>>
  /** After this time the program and all that it started are ended. Null: no limit. */
  timeoutMs: number | null
  /** Between TERM and KILL. */
  stopGraceMs: number
  /** How many bytes of the end of its output are kept. */
  maxOutputBytes: number
  /** Written to its standard input, which is then closed. */
  input?: string | Buffer
  /** Called with the process, whose id is also that of its group and terminal session. Not called if it ends at once. */
  onStart?: (process: ProcessRef) => void
  /** Ends it like the time limit. */
  abort?: AbortSignal
  /** Why it must not be run; null if it may. */
  blockedBy: string | null
}

export interface CommandResult {
  /** Whether it ended by itself with exit code 0. */
  ok: boolean
  exitCode: number | null
  signal: NodeJS.Signals | null
  timedOut: boolean
  /** The end of its output on stdout and stderr, in order of arrival, without known secrets, cut to whole characters. */
  tail: string
  /** How many bytes it printed in all. */
  printedBytes: number
  ms: number
  /** Why it is not ok, in a few words; null if it is. */
  why: string | null
}

/** A program that left its process group may keep its outputs open for ever, so they are only awaited for this long. */
const drainWithinMs = 1_000

/**
 * Never throws because of the program: one that cannot be started gives a result too. When it has ended, in time or not, all other
 * processes of its terminal session are ended, so that none pile up. A process that should survive has to start a new session.
 */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  const startedAt = performance.now()
  const tail = new Tail(request.maxOutputBytes)
  const result = (
    outcome: Pick<CommandResult, 'exitCode' | 'signal' | 'timedOut' | 'why'>,
  ): CommandResult => ({
    ...outcome,
    ok: outcome.why === null,
    tail: tail.text(),
    printedBytes: tail.printedBytes,
    ms: Math.round(performance.now() - startedAt),
  })
  const neverRan = (why: string): CommandResult =>
    result({ exitCode: null, signal: null, timedOut: false, why })
  if (request.blockedBy !== null) return neverRan(request.blockedBy)
  if (!isFolder(request.cwd)) return neverRan(`the folder ${request.cwd} does not exist`)
  if (request.abort?.aborted === true) return neverRan('it was cancelled')
  const [program = '', ...args] = request.run
  const child = spawn(program, args, {
    cwd: request.cwd,
    env: request.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exited = untilExit(child)
  const drained = Promise.all([tail.readFrom(child.stdout), tail.readFrom(child.stderr)])
  // A program that does not read all of its input breaks the pipe, which is not an error here.
  child.stdin.on('error', () => undefined)
  child.stdin.end(request.input ?? '')
  const { pid } = child
  if (pid === undefined)
    return neverRan(`${program} cannot be started: ${(await exited).error ?? 'no reason given'}`)
  const ref = { pid, start: (await processStart(pid)) ?? '' }
  if (ref.start !== '') request.onStart?.(ref)
  const interruption = await untilInterrupted(exited, request.timeoutMs, request.abort)
  const hasEnded = await endProcess(ref, interruption === null ? 0 : request.stopGraceMs)
  // It hangs in the system, for example on a disk that does not respond.
  const { exitCode, signal } = hasEnded ? await exited : { exitCode: null, signal: null }
  await Promise.race([drained, delay(drainWithinMs, undefined, { ref: false })])
  child.stdout.destroy()
  child.stderr.destroy()
  const timedOut = interruption === 'time'
  if (interruption === 'abort') return result({ exitCode, signal, timedOut, why: 'it was cancelled' })
  if (timedOut)
    return result({
      exitCode,
      signal,
      timedOut,
      why: `it did not end within ${inSeconds(request.timeoutMs)}`,
    })
  if (signal !== null) return result({ exitCode, signal, timedOut, why: `it was ended by ${signal}` })
  return result({
    exitCode,
    signal,
    timedOut,
    why: exitCode === 0 ? null : `it ended with exit code ${exitCode ?? '?'}`,
  })
}

interface Exit {
  exitCode: number | null
  signal: NodeJS.Signals | null
  error: string | null
}

function untilExit(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, signal: null, error: error.message }))
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal, error: null }))
  })
}

/** What interrupted the run; null if it ended by itself. */
async function untilInterrupted(
  exited: Promise<Exit>,
  timeoutMs: number | null,
  abort: AbortSignal | undefined,
): Promise<'time' | 'abort' | null> {
  if (abort?.aborted === true) return 'abort'
  const settled = new AbortController()
  const waits: Promise<'time' | 'abort' | null>[] = [exited.then(() => null)]
  if (timeoutMs !== null)
    waits.push(delay(timeoutMs, 'time' as const, { signal: settled.signal }).catch(() => null))
  if (abort)
    waits.push(
      new Promise((resolve) => {
        abort.addEventListener('abort', () => resolve('abort'), { once: true, signal: settled.signal })
      }),
    )
  try {
    return await Promise.race(waits)
  } finally {
    settled.abort()
  }
}

/** Keeps the last bytes of a stream of any length, and before them enough that no secret is cut in two. */
class Tail {
  readonly #maxBytes: number
  readonly #bufferBytes: number
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  printedBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#bufferBytes = maxBytes + longestSecret() * bytesPerCharacter
  }

  async readFrom(stream: Readable): Promise<void> {
    try {
      for await (const chunk of stream) this.#append(chunk as Buffer)
    } catch {
      // The stream was destroyed, or broke when the program ended. What has arrived is kept.
    }
  }

  #append(chunk: Buffer): void {
    this.printedBytes += chunk.length
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    for (
      let first = this.#chunks[0];
      first && this.#bufferedBytes - first.length >= this.#bufferBytes;
      first = this.#chunks[0]
    ) {
      this.#chunks.shift()
      this.#bufferedBytes -= first.length
    }
  }

  text(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8')
    const isCut = this.printedBytes > this.#bufferedBytes
    const kept = Buffer.from(withoutSecrets(isCut ? text.replace(/^\uFFFD+/, '') : text))
    if (kept.length <= this.#maxBytes) return kept.toString('utf8')
    const cut = kept.subarray(kept.length - this.#maxBytes)
    // A character that was cut in two leaves bytes of the form 10xxxxxx at the beginning.
    const whole = cut.findIndex((byte) => (byte & 0xc0) !== 0x80)
    return cut.subarray(Math.max(whole, 0)).toString('utf8')
  }
}

/** In UTF-8, at most. */
const bytesPerCharacter = 4

const inSeconds = (ms: number | null): string => `${(ms ?? 0) / 1_000} s`
