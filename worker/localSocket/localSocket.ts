/** Answers the commands of this user on this host, over a socket in the home. It only reads: a question changes nothing. */
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { BoundedLines } from '../../config/localSocket/lines.js'
import {
  type Greeting,
  maxLine,
  protocol,
  type Question,
  questionSchema,
} from '../../config/localSocket/protocol.js'
import { version } from '../../config/version.js'
import type { Host } from '../../host/host.js'
import { log } from '../../host/log.js'
import { parseJsonAs } from '../../policy/parseJson.js'

export interface Answering {
  /** The JSON of the answer; null if the command has to ask the engine. May reject, which counts as null. */
  answer(question: Question): Promise<object | null>
}

/** People and their shells ask one question at a time. */
const maxConnections = 100
/** A command sends its question at once, and takes the answer as fast as it can. Milliseconds. */
const silentAfter = 10_000
/** A socket that was removed, or could not be made, is made again. */
const checkEvery = 10_000

export class LocalSocket {
  readonly #host: Host
  readonly #path: string
  readonly #answers: Answering
  readonly #connections = new Set<Socket>()
  readonly #greeting: string
  #server: Server | null = null
  /** Of the file at the path while we listen there. */
  #inode: number | null = null
  #checkTimer: NodeJS.Timeout | null = null
  #isOpen = false
  #hasWarned = false

  constructor(host: Host, answers: Answering) {
    this.#host = host
    this.#path = host.home.commandSocket
    this.#answers = answers
    const greeting: Greeting = { outpool: version(), protocol, host: host.home.hostId }
    this.#greeting = `${JSON.stringify(greeting)}\n`
  }

  /** Resolves once it listens, or cannot do so now: no fleet has to do without its worker for that. */
  async open(): Promise<void> {
    this.#isOpen = true
    this.#checkTimer = setInterval(() => {
      if (this.#inode === null || this.#inode !== inodeOf(this.#path))
        void this.#listen().catch((error: unknown) => this.#warn(error))
    }, checkEvery).unref()
    await this.#listen().catch((error: unknown) => this.#warn(error))
  }

  async close(): Promise<void> {
    this.#isOpen = false
    if (this.#checkTimer !== null) clearInterval(this.#checkTimer)
    await this.#stopListening()
  }

  async #listen(): Promise<void> {
    await this.#stopListening()
    if (!this.#isOpen) return
    this.#clearPath()
    const server = createServer((socket) => this.#serve(socket))
    server.maxConnections = maxConnections
    server.unref()
    this.#server = server
    await new Promise<void>((resolve) => {
      server.on('error', (error) => {
        this.#warn(error)
        resolve()
      })
      server.listen(this.#path, () => {
        try {
          // Until now only the folder has kept others out.
          chmodSync(this.#path, 0o600)
          this.#inode = inodeOf(this.#path)
        } catch (error) {
          this.#warn(error)
        }
        resolve()
      })
    })
  }

  #warn(error: unknown): void {
    if (!this.#hasWarned)
      log.warn({ err: error }, `commands are not answered at ${this.#path}, and ask the engine instead`)
    this.#hasWarned = true
  }

  /** The lock of the home shows that no other worker listens there. */
  #clearPath(): void {
    const found = lstatSync(this.#path, { throwIfNoEntry: false })
    if (found?.isSocket() === true) rmSync(this.#path, { force: true })
    else if (found !== undefined)
      this.#host.oddFiles.setAside(this.#path, 'it is not the socket for commands')
  }

  /** Removes the socket too. */
  async #stopListening(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server === null) return
    // Node removes what is at the path, whatever it is.
    if (this.#inode !== inodeOf(this.#path)) this.#clearPath()
    this.#inode = null
    const closed = new Promise((resolve) => server.close(resolve))
    for (const connection of this.#connections) connection.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    // A command that has ended is no failure of ours.
    socket.on('error', () => undefined)
    socket.setTimeout(silentAfter, () => socket.destroy())
    socket.write(this.#greeting)
    const lines = new BoundedLines(() => maxLine.question)
    const read = (chunk: Buffer): void => {
      const arrived = lines.add(chunk)
      if (arrived === null) socket.destroy()
      else if (arrived[0] !== undefined) {
        socket.off('data', read)
        socket.resume()
        void this.#reply(socket, arrived[0])
      }
    }
    socket.on('data', read)
  }

  /** Never rejects. */
  async #reply(socket: Socket, line: string): Promise<void> {
    const question = parseJsonAs(line, questionSchema)
    const answer = question === null ? null : await this.#answers.answer(question).catch(() => null)
    socket.end(`${JSON.stringify(answer)}\n`)
  }
}

/** Null also if it can't be found out. */
function inodeOf(path: string): number | null {
  try {
    return lstatSync(path).ino
  } catch {
    return null
  }
}
