/**
 * Law 15: attacks on the control plane, each really made, on the real engine as `outpool up` starts it. The
 * attacker is another user of the machine or a page in a browser: it reaches every port, and has no key.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { request } from 'node:http'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevServer, devServer } from '../../lab/engine/engine.js'

let server: DevServer
let connection: Connection
let attacker: Client

beforeAll(async () => {
  server = await devServer()
  connection = await Connection.connect({ address: server.address })
  attacker = new Client({ connection, namespace: server.namespace })
})
afterAll(async () => {
  await connection.close()
  await server.stop()
})

/** What a page can send without asking the server first: a body of plain text needs no preflight. */
const requests = [
  { method: 'GET', path: '/api/v1/namespaces/default/workflows' },
  { method: 'POST', path: '/api/v1/namespaces/default/workflows/attack' },
  { method: 'POST', path: '/api/v1/namespaces/default/workflows/target/signal/stop' },
  { method: 'POST', path: '/api/v1/namespaces/default/workflows/target/terminate' },
] as const

const body = JSON.stringify({ workflowType: { name: 'session' }, taskQueue: { name: 'outpool' } })

/** The status of the answer; null if the port does not speak HTTP. */
function send(
  port: number,
  host: string,
  { method, path }: (typeof requests)[number],
): Promise<number | null> {
  return new Promise((resolve) => {
    const headers = { Host: host, Origin: 'http://attacker.example', 'Content-Type': 'text/plain' }
    const sent = request({ host: '127.0.0.1', port, method, path, headers, timeout: 5_000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? null)
    })
    sent.on('error', () => resolve(null))
    sent.on('timeout', () => sent.destroy())
    sent.end(method === 'POST' ? body : undefined)
  })
}

/** The ports of 127.0.0.1 on which a process listens. */
function portsOf(pid: number): number[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map((name) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`)
      } catch {
        return ''
      }
    }),
  )
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && sockets.has(`socket:[${fields[9] ?? ''}]`))
    .map((fields) => Number.parseInt(fields[1]?.split(':')[1] ?? '', 16))
}

describe('law 15: a page in a browser', () => {
  it('law 15: gets no answer from any port of the engine, whatever Host and Origin it sends', async () => {
    expect(server.uiUrl).toBeNull()
    await attacker.workflow.start('anything', { workflowId: 'target', taskQueue: 'unpolled', args: [] })
    const ports = portsOf(server.engine.endpoint.pid!)
    expect(ports.length).toBeGreaterThan(1)
    const statuses = new Map<number, (number | null)[]>()
    for (const port of ports)
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'rebound.example', 'none', ''])
        for (const attack of requests)
          statuses.set(port, [...(statuses.get(port) ?? []), await send(port, host, attack)])
    // One port is that of the API, and refuses all of them; the others know no such address, or speak no HTTP.
    const answered = [...statuses.values()].filter((all) => all.every((status) => status === 403))
    expect(answered).toHaveLength(1)
    for (const status of [...statuses.values()].flat()) expect([403, 404, 400, null]).toContain(status)
    expect((await attacker.workflow.getHandle('target').describe()).status.name).toBe('RUNNING')
    await expect(attacker.workflow.getHandle('attack').describe()).rejects.toThrow(/not found/)
  })
})
