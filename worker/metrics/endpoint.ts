/** Serves the metrics to Prometheus: one path, read only, and only to those who address the listener by a name that it has. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIP, type AddressInfo } from 'node:net'
import type { MetricsConfig } from '../../config/config.js'
import { log } from '../../host/log.js'

type Listen = NonNullable<MetricsConfig['listen']>
/** The metrics as text, at this moment. */
export type Scrape = () => Promise<string>

const metricsPath = '/metrics'
/** Of the format in which Prometheus has read metrics since its first version. */
const contentType = 'text/plain; version=0.0.4; charset=utf-8'
/** A taken port may become free, and no fleet has to do without its worker for it. Milliseconds. */
const listenAgainAfter = 30_000
/** Scrapers use few connections. */
const maxConnections = 50
const requestWithin = 10_000

/**
 * Whether a request is addressed to us. A page in a browser can be made to reach a listener of this machine under its own name
 * (DNS rebinding), but not under an IP address or `localhost`.
 */
export function isAddressedToUs(host: string | undefined, { listen, hosts }: MetricsConfig): boolean {
  const [, v6, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(host ?? '') ?? []
  if (v6 !== undefined) return isIP(v6) === 6
  const given = name.toLowerCase()
  return (
    isIP(given) === 4 || ['localhost', listen?.host, ...hosts].some((own) => own?.toLowerCase() === given)
  )
}

export class MetricsEndpoint {
  readonly #config: MetricsConfig & { listen: Listen }
  readonly #server: Server
  #again: NodeJS.Timeout | null = null

  constructor(config: MetricsConfig & { listen: Listen }, scrape: Scrape) {
    this.#config = config
    this.#server = createServer(
      { requestTimeout: requestWithin },
      (request, response) => void this.#answer(request, response, scrape),
    )
    this.#server.maxConnections = maxConnections
    // The fleet decides when the process ends.
    this.#server.unref()
  }

  /** Resolves with the address once it listens, or with null if it cannot do so now; then it tries again. */
  open(): Promise<string | null> {
    const { host, port } = this.#config.listen
    return new Promise((resolve) => {
      const failed = (error: Error): void => {
        log.error(
          { err: error },
          `metrics cannot be served at ${host}:${port}; free the port or change metrics.listen`,
        )
        this.#again = setTimeout(() => void this.open(), listenAgainAfter).unref()
        resolve(null)
      }
      this.#server.once('error', failed)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', failed)
        this.#server.on('error', (error) => log.warn({ err: error }, 'a scrape failed'))
        const { address, family, port: bound } = this.#server.address() as AddressInfo
        const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}${metricsPath}`
        log.info(`metrics at ${url}`)
        resolve(url)
      })
    })
  }

  async close(): Promise<void> {
    if (this.#again !== null) clearTimeout(this.#again)
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  /** Never rejects. */
  async #answer(request: IncomingMessage, response: ServerResponse, scrape: Scrape): Promise<void> {
    const isOurs = isAddressedToUs(request.headers.host, this.#config)
    if (!isOurs)
      refuse(response, 403, 'This name of the host is not allowed: add it to metrics.hosts in outpool.yaml.')
    else if (request.url?.split('?')[0] !== metricsPath)
      refuse(response, 404, `Metrics are at ${metricsPath}.`)
    else if (request.method !== 'GET') refuse(response, 405, 'Metrics can only be read: use GET.')
    else await collect(response, scrape)
  }
}

async function collect(response: ServerResponse, scrape: Scrape): Promise<void> {
  try {
    const text = await scrape()
    response.writeHead(200, { 'content-type': contentType }).end(text)
  } catch (error) {
    log.error({ err: error }, 'metrics could not be collected')
    refuse(response, 500, 'The metrics could not be collected: the log of the worker says why.')
  }
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`)
}
