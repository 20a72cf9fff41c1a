/**
 * Opens sealed payloads for Temporal's Web UI in a person's browser: the remote codec of that page. It listens on loopback, and answers
 * only requests that know its token, name its own address as their host, and come from the page of the Web UI. A page elsewhere can
 * neither guess the token nor hide its origin.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Payload } from '@temporalio/common'
import { z } from 'zod'
import type { SealingCodec } from '../../config/seal/codec.js'
import { parseJson } from '../../policy/parseJson.js'

export interface CodecServer {
  /** The URL to enter in the Web UI as its remote codec endpoint. It holds the token, so it is as secret as what the engine stores. */
  endpoint: string
  close(): Promise<void>
}

/** A page of a history holds a few megabytes at most. Bytes. */
const maxBody = 20_000_000

const requestSchema = z.object({
  payloads: z.array(
    z.looseObject({ metadata: z.record(z.string(), z.string()).optional(), data: z.string().optional() }),
  ),
})
type JsonPayload = z.output<typeof requestSchema>['payloads'][number]

/** `uiUrl`: the address of the Web UI, whose page may ask. */
export async function startCodecServer(codec: SealingCodec, uiUrl: string): Promise<CodecServer> {
  const token = randomBytes(32).toString('base64url')
  const origins = originsOf(uiUrl)
  const server = createServer((request, response) => {
    answer(request, response, { codec, origins, path: `/${token}/decode`, hosts: hostsOf(server) }).catch(
      () => end(response, 500),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    endpoint: `http://${hostsOf(server)[0] ?? ''}/${token}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Rules {
  codec: SealingCodec
  path: string
  hosts: readonly string[]
  origins: readonly string[]
}

async function answer(request: IncomingMessage, response: ServerResponse, rules: Rules): Promise<void> {
  const refusal = refusalOf(request, rules)
  if (refusal !== null) {
    end(response, refusal)
    return
  }
  response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '')
  response.setHeader('Vary', 'Origin')
  if (request.method === 'OPTIONS') {
    response.setHeader('Access-Control-Allow-Methods', 'POST')
    response.setHeader('Access-Control-Allow-Headers', 'content-type, x-namespace')
    end(response, 204)
    return
  }
  const parsed = requestSchema.safeParse(await bodyOf(request))
  if (!parsed.success) {
    end(response, 400)
    return
  }
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Cache-Control', 'no-store')
  response.end(JSON.stringify({ payloads: parsed.data.payloads.map((one) => openPayload(rules.codec, one)) }))
}

/** The status of the answer to a request that gets nothing else; null for one to be answered. */
function refusalOf({ headers, url, method }: IncomingMessage, rules: Rules): number | null {
  const { host = '', origin = '' } = headers
  if (!rules.hosts.includes(host) || !rules.origins.includes(origin)) return 403
  // The Web UI appends parameters that ask for nothing that we could answer differently.
  if (!isSame(url?.split('?', 1)[0] ?? '', rules.path)) return 404
  return method === 'POST' || method === 'OPTIONS' ? null : 405
}

/** What is not sealed, or with another key, is returned as it is. */
function openPayload(codec: SealingCodec, given: JsonPayload): JsonPayload {
  const { metadata = {}, data = '' } = given
  const payload: Payload = { metadata: mapValues(metadata, fromBase64), data: fromBase64(data) }
  const opened = codec.open(payload)
  if (opened === null) return given
  return {
    metadata: mapValues(opened.metadata ?? {}, toBase64),
    data: toBase64(opened.data ?? new Uint8Array()),
  }
}

const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64')
const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const mapValues = <A, B>(map: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]))

/** Null if it is too long, undefined if it is no JSON. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk as Uint8Array)
    size += bytes.length
    if (size > maxBody) return null
    chunks.push(bytes)
  }
  return parseJson(Buffer.concat(chunks).toString())
}

function hostsOf(server: Server): string[] {
  const address = server.address()
  return address === null || typeof address === 'string' ? [] : [`127.0.0.1:${address.port}`]
}

/** The Web UI may be opened under each name of loopback. */
function originsOf(uiUrl: string): string[] {
  const { origin, protocol, hostname, port } = new URL(uiUrl)
  return hostname === '127.0.0.1' ? [origin, `${protocol}//localhost:${port}`] : [origin]
}

/** In the same time, whatever differs. */
function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}

const end = (response: ServerResponse, status: number): void => void response.writeHead(status).end()
