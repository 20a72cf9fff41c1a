/** Keeps one embedded server alive, on the same ports, so that every connection to it finds it again. */
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../../host/process/processes.js'
import { WorkerError } from '../errors.js'
import { answers } from './connect.js'
import { embeddedNamespace, endEmbedded, type EmbeddedServer } from './embedded.js'
import { messageOf, type Say } from './install.js'

export interface Supervision {
  first: EmbeddedServer
  /** Starts a server on the ports of the one that is gone. */
  restart: (signal: AbortSignal) => Promise<EmbeddedServer>
  say: Say
  onDown?: () => void
  /** The same address as before; its process is new. */
  onUp?: (server: EmbeddedServer) => void
  /** Called at each look, to keep the log small. */
  housekeeping?: () => void
  rhythm?: Partial<SupervisionTiming>
}

export interface SupervisionTiming {
  /** Milliseconds between two looks at the process. */
  pollEvery: number
  /** Milliseconds between two calls to the server. */
  callEvery: number
  /** A server that answered none of its calls for this long hangs, and is replaced. Milliseconds. */
  hangs: number
  /** Milliseconds before the second, third ... try to start it again; the last one is then repeated for good. */
  pauses: readonly number[]
}

const defaultTiming: SupervisionTiming = {
  pollEvery: 500,
  callEvery: 15_000,
  hangs: 60_000,
  pauses: [1_000, 2_000, 5_000, 10_000, 30_000],
}

/** After so many failures in a row a person should know; it is tried on all the same. */
const reportAfterFailures = 3

export interface SupervisedEngine {
  /** Ends the watch and the server. Throws EngineStartError where the server outlives KILL. */
  stop: () => Promise<void>
}

/** Begins to watch. The returned object's `stop` is the only end of it. */
export function superviseEngine(supervision: Supervision): SupervisedEngine {
  const rhythm: SupervisionTiming = { ...defaultTiming, ...supervision.rhythm }
  const stopping = new AbortController()
  const state = { server: supervision.first, up: true }
  const watch = watchOver(supervision, rhythm, stopping.signal, state)
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
  rhythm: SupervisionTiming,
  signal: AbortSignal,
  state: { server: EmbeddedServer; up: boolean },
): Promise<void> {
  const { say, onDown, onUp, housekeeping } = supervision
  for (;;) {
    const why = await lost(state.server, rhythm, signal, housekeeping)
    if (why === null) return
    say(`The engine ${why}: starting it again.`)
    state.up = false
    onDown?.()
    if (why === 'hangs')
      await endEmbedded(state.server.process).catch((error: unknown) => say(messageOf(error)))
    const server = await startAgain(supervision, rhythm, signal)
    if (server === null) return
    state.server = server
    state.up = true
    onUp?.(server)
    say(`The engine is up again at ${server.endpoint.address}.`)
  }
}

/** Tries until it works; null once `signal` says stop. */
async function startAgain(
  { restart, say }: Supervision,
  rhythm: SupervisionTiming,
  signal: AbortSignal,
): Promise<EmbeddedServer | null> {
  for (let failures = 1; ; failures++) {
    try {
      return await restart(signal)
    } catch (error) {
      if (signal.aborted) return null
      if (failures === reportAfterFailures) say(describeError(error))
    }
    await pause(rhythm.pauses[failures - 1] ?? rhythm.pauses.at(-1) ?? 0, signal)
  }
}

const describeError = (error: unknown): string =>
  `The engine could not be started ${reportAfterFailures} times in a row; outpool goes on trying. ${messageOf(error)}` +
  (error instanceof WorkerError ? ` ${error.remedy}` : '')

/** Waits until the server is lost and answers how; null once `signal` says stop. */
async function lost(
  server: EmbeddedServer,
  rhythm: SupervisionTiming,
  signal: AbortSignal,
  housekeeping?: () => void,
): Promise<'ended' | 'hangs' | null> {
  let heard = performance.now()
  let nextCall = heard + rhythm.callEvery
  for (;;) {
    await pause(rhythm.pollEvery, signal)
    if (signal.aborted) return null
    if (!(await isAlive(server.process))) return 'ended'
    const now = performance.now()
    if (now < nextCall) continue
    housekeeping?.()
    if (await answers({ address: server.endpoint.address }, embeddedNamespace, rhythm.callEvery))
      heard = performance.now()
    else if (performance.now() - heard > rhythm.hangs) return 'hangs'
    nextCall = performance.now() + rhythm.callEvery
  }
}

/** Ends early when `signal` says stop; holds no process open. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
