/** Keeps one embedded server alive, on the same ports, so that connections to it can reconnect. */
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../../host/process/processes.js'
import { WorkerError } from '../errors.js'
import { answers } from './connect.js'
import { embeddedNamespace, endEmbedded, type EmbeddedServer } from './embedded.js'
import type { Say } from './install.js'
import { messageOf } from '../../policy/errorFacts.js'

export interface Supervision {
  first: EmbeddedServer
  /** Starts a server on the ports of the one that ended. */
  restart: (signal: AbortSignal) => Promise<EmbeddedServer>
  say: Say
  onDown?: () => void
  /** Called with the new server, which has the same address. */
  onUp?: (server: EmbeddedServer) => void
  /** Called before each call to the server, to keep the log small. */
  housekeeping?: () => void
  timing?: Partial<SupervisionTiming>
}

export interface SupervisionTiming {
  /** Milliseconds between two checks of the process. */
  pollEvery: number
  /** Milliseconds between two calls to the server. */
  callEvery: number
  /** A server that answered none of its calls for this long hangs, and is replaced. Milliseconds. */
  hangs: number
  /** Milliseconds before the second, third ... try to restart it; the last one is then repeated. */
  pauses: readonly number[]
}

const defaultTiming: SupervisionTiming = {
  pollEvery: 500,
  callEvery: 15_000,
  hangs: 60_000,
  pauses: [1_000, 2_000, 5_000, 10_000, 30_000],
}

/** After so many failures in a row a message is printed; the tries go on. */
const reportAfterFailures = 3

export interface SupervisedEngine {
  /** Ends the supervision and the server. Throws EngineStartError if the server survives KILL. */
  stop: () => Promise<void>
}

/** Begins to supervise, until `stop` of the returned object is called. */
export function superviseEngine(supervision: Supervision): SupervisedEngine {
  const timing: SupervisionTiming = { ...defaultTiming, ...supervision.timing }
  const stopping = new AbortController()
  const state = { server: supervision.first, up: true }
  const watch = watchOver(supervision, timing, stopping.signal, state)
  return {
    stop: async () => {
      stopping.abort()
      await watch
      if (state.up) await endEmbedded(state.server.process)
    },
  }
}

async function watchOver(
  supervision: Supervision,
  timing: SupervisionTiming,
  signal: AbortSignal,
  state: { server: EmbeddedServer; up: boolean },
): Promise<void> {
  const { say, onDown, onUp, housekeeping } = supervision
  for (;;) {
    const why = await lost(state.server, timing, signal, housekeeping)
    if (why === null) return
    say(`The engine ${why}: starting it again.`)
    state.up = false
    onDown?.()
    if (why === 'hangs')
      await endEmbedded(state.server.process).catch((error: unknown) => say(messageOf(error)))
    const server = await startAgain(supervision, timing, signal)
    if (server === null) return
    state.server = server
    state.up = true
    onUp?.(server)
    say(`The engine is up again at ${server.endpoint.address}.`)
  }
}

/** Tries until it works; null once `signal` aborts. */
async function startAgain(
  { restart, say }: Supervision,
  timing: SupervisionTiming,
  signal: AbortSignal,
): Promise<EmbeddedServer | null> {
  for (let failures = 1; ; failures++) {
    try {
      return await restart(signal)
    } catch (error) {
      if (signal.aborted) return null
      if (failures === reportAfterFailures) say(describeError(error))
    }
    await pause(timing.pauses[failures - 1] ?? timing.pauses.at(-1) ?? 0, signal)
  }
}

const describeError = (error: unknown): string =>
  `The engine could not be started ${reportAfterFailures} times in a row; outpool goes on trying. ${messageOf(error)}` +
  (error instanceof WorkerError ? ` ${error.remedy}` : '')

/** Waits until the server has ended or hangs, and returns which; null once `signal` aborts. */
async function lost(
  server: EmbeddedServer,
  timing: SupervisionTiming,
  signal: AbortSignal,
  housekeeping?: () => void,
): Promise<'ended' | 'hangs' | null> {
  let heard = performance.now()
  let nextCall = heard + timing.callEvery
  for (;;) {
    await pause(timing.pollEvery, signal)
    if (signal.aborted) return null
    if (!(await isAlive(server.process))) return 'ended'
    const now = performance.now()
    if (now < nextCall) continue
    housekeeping?.()
    if (await answers({ address: server.endpoint.address }, embeddedNamespace, timing.callEvery))
      heard = performance.now()
    else if (performance.now() - heard > timing.hangs) return 'hangs'
    nextCall = performance.now() + timing.callEvery
  }
}

/** Ends early when `signal` aborts; does not keep the process alive. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
