/** Asks the worker of this host over its socket. */
import { connect } from 'node:net'
import { BoundedLines } from '../../config/localSocket/lines.js'
import {
  answerSchemas,
  type Answers,
  greetingSchema,
  maxLine,
  protocol,
  type Question,
} from '../../config/localSocket/protocol.js'
import type { Home } from '../../config/state/home.js'
import { isOwnSocket } from '../../config/state/ownFile.js'
import { version } from '../../config/version.js'
import { parseJsonAs } from '../../policy/parseJson.js'

/** How long a command waits before it asks the engine. Milliseconds. */
export interface Patience {
  /** A worker greets at once, and a busy one within tenths of a second. A suspended one accepts, and does not greet. */
  greeting: number
  answer: number
}

/** A workflow that is asked gets 2 s to answer. */
const usualPatience: Patience = { greeting: 1_000, answer: 4_000 }

type Asked<Ask> = Omit<Extract<Question, { ask: Ask }>, 'ask'>

/** Null if no worker answers: none runs, it is of another version, it hangs, it has lost its engine, or its socket is not ours. */
export async function askWorker<Ask extends Question['ask']>(
  home: Home,
  ask: Ask,
  asked: Asked<Ask>,
  patience = usualPatience,
): Promise<Answers[Ask] | null> {
  if (!isOwnSocket(home.commandSocket)) return null
  const answer = await exchange(home, JSON.stringify({ ask, ...asked }), patience)
  return answer === null ? null : parseJsonAs(answer, answerSchemas[ask])
}

/** The line after a greeting that fits; null for anything else. */
function exchange(home: Home, question: string, patience: Patience): Promise<string | null> {
  return new Promise((resolve) => {
    const lines = new BoundedLines((line) => (line === 0 ? maxLine.greeting : maxLine.answer))
    const socket = connect(home.commandSocket)
    let isGreeted = false
    let timer = setTimeout(() => end(null), patience.greeting)
    const end = (answer: string | null): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    socket.on('error', () => end(null))
    socket.on('close', () => end(null))
    const take = (line: string): void => {
      if (socket.destroyed) return
      if (isGreeted) end(line)
      else if (!isKnown(line, home)) end(null)
      else {
        isGreeted = true
        clearTimeout(timer)
        timer = setTimeout(() => end(null), patience.answer)
      }
    }
    socket.on('data', (chunk: Buffer) => {
      const arrived = lines.add(chunk)
      if (arrived === null) end(null)
      else arrived.forEach(take)
    })
    socket.write(`${question}\n`)
  })
}

/** Of this version and home: another one may mean something else by the same words. */
function isKnown(line: string, home: Home): boolean {
  const greeting = parseJsonAs(line, greetingSchema)
  return greeting?.outpool === version() && greeting.protocol === protocol && greeting.host === home.hostId
}
