/** Free ports on loopback. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { processesOfGroup } from '../../host/process/processes.js'

export interface Ports {
  grpc: number
  /** Null for a server without its Web UI. */
  ui: number | null
}

/** Temporal's own defaults, which its tools try first. */
export const usualPorts = { grpc: 7233, ui: 8233 } as const satisfies Ports

/** How many ports above the wanted one are tried. */
const reach = 500

/** The wanted ports if they are free, else the next free ones. Throws if there is none in a long range. */
export async function freePorts(wanted: Ports): Promise<Ports> {
  const grpc = await nextFree(wanted.grpc, [])
  return { grpc, ui: wanted.ui === null ? null : await nextFree(wanted.ui, [grpc]) }
}

async function nextFree(from: number, except: readonly number[]): Promise<number> {
  for (let port = from; port < from + reach; port++)
    if (!except.includes(port) && (await isFree(port))) return port
  throw new Error(`no port from ${from} to ${from + reach - 1} is free on 127.0.0.1`)
}

/** Tries a connection too, since a program that listens on all addresses does not prevent a bind to one of them. */
async function isFree(port: number): Promise<boolean> {
  return (await canBind(port)) && !(await someoneAnswers(port))
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whether something accepts connections on this port of 127.0.0.1. */
export function someoneAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 })
    const finish = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
    socket.once('timeout', () => finish(false))
  })
}

/**
 * Whether the process, or one of its process group, listens on this port of 127.0.0.1: if two servers wanted the same port, both
 * run for a while and only one of them answers. True if the system can't tell.
 */
export function isListener(leader: number, port: number): boolean {
  const wanted = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  let sockets: Set<string>
  try {
    // Fields: number, local address, remote address, state (0A listens), four more, user, timeout, inode.
    const rows = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
    const listening = rows.filter(([, local, , state]) => local === wanted && state === '0A')
    sockets = new Set(listening.map((fields) => `socket:[${fields[9] ?? ''}]`))
  } catch {
    return true
  }
  return [leader, ...processesOfGroup(leader)].some((pid) => openFiles(pid).some((file) => sockets.has(file)))
}

function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(`${folder}/${name}`)]
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
