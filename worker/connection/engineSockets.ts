/** The sockets by which this process is connected to its engine. */
import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import { splitAddress } from '../../config/load/engineAddress.js'

/**
 * An engine answers an opened connection at once. Twenty seconds are gRPC's minimum for an attempt. Milliseconds.
 * https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md
 */
const answerTimeout = 20_000

/**
 * gRPC waits without limit for the first answer on a connection that was accepted, and for one that is not accepted as long as the
 * system does: behind a tunnel or a load balancer whose target was down for a moment, the worker's client would not reach the engine
 * again. Once its socket is ended, it opens another one.
 */
export class EngineSockets {
  readonly #open = new Set<Socket>()

  /** From now on, ends each connection to the engine's port on which nothing has arrived `afterMs` after it was tried. */
  constructor(address: string, afterMs = answerTimeout) {
    const { port } = splitAddress(address)
    subscribe('net.client.socket', (message) => {
      const socket = socketIn(message)
      socket?.once('connectionAttempt', (_address: string, attempted: number) => {
        if (attempted === port) this.#watch(socket, afterMs)
      })
    })
  }

  /** Ends all of them: for a client that gets no answer from an engine that answers on a new connection. */
  endAll(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #watch(socket: Socket, afterMs: number): void {
    this.#open.add(socket)
    const timer = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy()
    }, afterMs).unref()
    socket.once('close', () => {
      clearTimeout(timer)
      this.#open.delete(socket)
    })
  }
}

const socketIn = (message: unknown): Socket | null =>
  typeof message === 'object' && message !== null && 'socket' in message && message.socket instanceof Socket
    ? message.socket
    : null
