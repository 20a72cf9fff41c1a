/**
 * A loopback HTTPS_PROXY. The agent program sends some requests to fixed hosts, whatever its base URL; this
 * proxy answers for those hosts from the stand-in and refuses all others, so that nothing ever leaves the
 * machine.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { StandIn } from './api.js'
import { makeCertificates } from './certificates.js'
import { listen } from './http.js'

const fixedHosts = ['api.anthropic.com', 'platform.claude.com', 'console.anthropic.com'] as const

export interface UsageProxy {
  url: string
  /** What a process needs to go through this proxy, and to trust it. */
  env: Record<string, string>
  /** `host:port` of everything that was refused. */
  refused: string[]
  close(): Promise<void>
}

/** Starts a proxy in front of `standIn`; its certificate goes into `dir`. */
export async function startUsageProxy(standIn: StandIn, dir: string): Promise<UsageProxy> {
  const { authority, key, cert } = await makeCertificates(fixedHosts)
  mkdirSync(dir, { recursive: true })
  const authorityFile = join(dir, 'stand-in-authority.pem')
  writeFileSync(authorityFile, authority)

  const inner = createTlsServer({ key, cert }, (request, response) => {
    standIn.handle(request, response).catch(() => response.destroy())
  })
  const innerPort = await listen(inner)

  const refused: string[] = []
  const outer = createHttpServer((request, response) => {
    refused.push(request.url ?? '?')
    response.writeHead(403).end('refused by the stand-in proxy')
  })
  const sockets = new Set<Socket>()
  outer.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  outer.on('connect', (request, client: Socket, head: Buffer) => {
    client.on('error', () => client.destroy())
    if (!fixedHosts.some((host) => request.url === `${host}:443`)) {
      refused.push(request.url ?? '?')
      client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const tunnel = connect(innerPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      tunnel.write(head)
      tunnel.pipe(client)
      client.pipe(tunnel)
    })
    tunnel.on('error', () => client.destroy())
    client.on('close', () => tunnel.destroy())
  })
  const url = `http://127.0.0.1:${await listen(outer)}`
  return {
    url,
    refused,
    env: {
      HTTPS_PROXY: url,
      HTTP_PROXY: url,
      NO_PROXY: '127.0.0.1,localhost',
      NODE_EXTRA_CA_CERTS: authorityFile,
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      inner.closeAllConnections()
      await Promise.all(
        [outer, inner].map((server) => new Promise<void>((done) => server.close(() => done()))),
      )
    },
  }
}
