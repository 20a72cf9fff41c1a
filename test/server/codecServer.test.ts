/** Law 15: the codec server answers only the page of the Web UI that knows its token. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { defaultPayloadConverter } from '@temporalio/common'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type CodecServer, startCodecServer } from '../../client/ui/codecServer.js'
import { SealingCodec } from '../../config/seal/codec.js'
import { KeyRing, sealKeyOf } from '../../config/seal/keys.js'
import { someoneAnswers } from '../../worker/engine/ports.js'

const uiUrl = 'http://127.0.0.1:8233'
const key = sealKeyOf(randomBytes(32))
const codec = new SealingCodec(new KeyRing([key]), 'default')
const words = 'Remember the word heron.'
let server: CodecServer
let body: string

beforeAll(async () => {
  server = await startCodecServer(codec, uiUrl)
  const [sealed] = await codec.encode([defaultPayloadConverter.toPayload({ prompt: words })])
  const entries = Object.entries(sealed!.metadata ?? {}).map(([name, value]) => [name, base64(value)])
  const payload = { metadata: Object.fromEntries(entries) as unknown, data: base64(sealed!.data!) }
  body = JSON.stringify({ payloads: [payload, { metadata: {}, data: base64(Buffer.from('plain')) }] })
})
afterAll(() => server.close())

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

interface Request {
  method?: string
  path?: string
  host?: string
  origin?: string | null
  body?: string
}

function ask({ method = 'POST', path, host, origin = uiUrl, body: sent = body }: Request) {
  const url = new URL(server.endpoint)
  return new Promise<{ status: number; text: string; allowed: unknown }>((resolve, reject) => {
    const headers = {
      ...{ Host: host ?? url.host, 'Content-Type': 'application/json' },
      ...(origin === null ? {} : { Origin: origin }),
    }
    const call = request(
      { host: '127.0.0.1', port: url.port, method, path: path ?? `${url.pathname}/decode`, headers },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            text,
            allowed: answer.headers['access-control-allow-origin'],
          }),
        )
      },
    )
    call.on('error', reject)
    call.end(method === 'POST' ? sent : undefined)
  })
}

it('law 15: opens payloads for the page of the Web UI, and leaves others as they are', async () => {
  const { status, text, allowed } = await ask({})
  expect(status).toBe(200)
  expect(allowed).toBe(uiUrl)
  const { payloads } = JSON.parse(text) as { payloads: { data: string }[] }
  const [opened, plain] = payloads.map(({ data }) => Buffer.from(data, 'base64').toString())
  expect(opened).toContain(words)
  expect(plain).toBe('plain')
  expect((await ask({ method: 'OPTIONS' })).status).toBe(204)
  // As the Web UI has asked since 2.5.
  const path = `${new URL(server.endpoint).pathname}/decode?preserveStorageRefs=true`
  expect(await ask({ path })).toMatchObject({ status: 200, text })
  expect(await ask({ path, method: 'OPTIONS' })).toMatchObject({ status: 204 })
})

it.each<[string, Request, number]>([
  ['another origin', { origin: 'http://attacker.example' }, 403],
  ['another port of this machine', { origin: 'http://127.0.0.1:8234' }, 403],
  ['no origin', { origin: null }, 403],
  ['a rebound name', { host: 'attacker.example' }, 403],
  ['no token', { path: '/decode' }, 404],
  ['a wrong token', { path: `/${'A'.repeat(43)}/decode` }, 404],
  ['a wrong token and a parameter', { path: `/${'A'.repeat(43)}/decode?preserveStorageRefs=true` }, 404],
  ['a preflight of another origin', { method: 'OPTIONS', origin: 'http://attacker.example' }, 403],
  ['another method', { method: 'GET' }, 405],
  ['no JSON', { body: 'x' }, 400],
  ['another shape', { body: '{"payloads":[7]}' }, 400],
])('law 15: a request with %s gets nothing', async (_, wrong, wanted) => {
  const { status, text, allowed } = await ask(wrong)
  expect({ status, text }).toEqual({ status: wanted, text: '' })
  if (wanted === 403) expect(allowed).toBeUndefined()
})

it('law 15: listens on loopback only', async () => {
  const { port } = new URL(server.endpoint)
  expect(await someoneAnswers(Number(port))).toBe(true)
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
  for (const { address } of outside)
    await expect(
      fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(2_000) }),
    ).rejects.toThrow()
})
