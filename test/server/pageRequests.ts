/** What a page in a browser can send to the ports of a process on its machine. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { request } from 'node:http'
import { commonQueue } from '../../policy/ids.js'

/** What a page can send without asking the server first: a body of plain text needs no preflight. */
export const requests = [
  { method: 'GET', path: '/api/v1/namespaces/default/workflows' },
  { method: 'POST', path: '/api/v1/namespaces/default/workflows/attack' },
  { method: 'POST', path: '/api/v1/namespaces/default/workflows/target/signal/stop' },
  { method: 'POST', path: '/api/v1/namespaces/default/workflows/target/terminate' },
] as const

/** The status of the answer; null if the port does not speak HTTP. */
export function send(
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
    const start = { workflowType: { name: 'session' }, taskQueue: { name: commonQueue } }
    sent.end(method === 'POST' ? JSON.stringify(start) : undefined)
  })
}

/** The ports of 127.0.0.1 on which a process listens. */
export function portsOf(pid: number): number[] {
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
