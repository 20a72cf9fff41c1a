/** Connections to the engine that are accepted and never answered, as by a tunnel or a load balancer without its target. */
import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import { splitAddress } from '../../config/load/engineAddress.js'

/**
 * An engine answers an opened connection at once. Twenty seconds are gRPC's minimum for an attempt. Milliseconds.
 * https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md
 */
const answerTimeout = 20_000

/**
 * From now on, ends each connection of this process to the engine's port on which nothing has arrived `afterMs` after
 * it was opened; then gRPC opens another one. The library itself waits without limit: the worker's client would not
 * reach the engine again, and each check of the engine would leave a socket open.
 */
export function endSilentConnections(address: string, afterMs = answerTimeout): void {
  const { port } = splitAddress(address)
  subscribe('net.client.socket', (message) => {
    const socket = socketIn(message)
    socket?.once('connect', () => {
      if (socket.remotePort !== port) return
      const timer = setTimeout(() => {
        if (socket.bytesRead === 0) socket.destroy()
      }, afterMs).unref()
      socket.once('close', () => clearTimeout(timer))
    })
  })
}

const socketIn = (message: unknown): Socket | null =>
  typeof message === 'object' && message !== null && 'socket' in message && message.socket instanceof Socket
    ? message.socket
    : null
