/**
 * What a person is told when their own engine can't be reached: which of address, TLS, client certificate and API
 * key is wrong. A real engine behind a real TLS endpoint; only the check of the API key is a stand-in.
 */
import { createSecureServer } from 'node:http2'
import { type AddressInfo, connect, type Server } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeCertificates, type Certificates } from '../../lab/standin/certificates.js'
import { type DevServer, devServer } from '../../lab/engine/engine.js'
import { type ConnectOptions, reach } from '../../worker/engine/connect.js'
import { EngineUnreachableError } from '../../worker/errors.js'

let server: DevServer
let ours: Certificates
let others: Certificates
const open: Server[] = []

beforeAll(async () => {
  server = await devServer()
  ours = await makeCertificates(['localhost'])
  others = await makeCertificates(['localhost'])
})
afterAll(async () => {
  for (const one of open) one.close()
  await server.stop()
})

const listen = async (one: Server): Promise<string> => {
  open.push(one)
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
  return `localhost:${(one.address() as AddressInfo).port}`
}

/** The engine behind TLS. */
function behindTls(options: TlsOptions = {}): Promise<string> {
  const [host = '', port = ''] = server.address.split(':')
  const { key, cert } = ours
  return listen(
    createServer({ key, cert, ALPNProtocols: ['h2'], ...options }, (near) => {
      const far = connect(Number(port), host)
      near.pipe(far).pipe(near)
      for (const socket of [near, far])
        socket.on('error', () => {
          near.destroy()
          far.destroy()
        })
    }).on('tlsClientError', () => undefined),
  )
}

/** An endpoint that refuses every call, as one does that checks API keys. */
function checkingKeys(): Promise<string> {
  const { key, cert } = ours
  const endpoint = createSecureServer({ key, cert })
  endpoint.on('stream', (stream) => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': 16, 'grpc-message': 'no' },
      { endStream: true },
    )
  })
  return listen(endpoint)
}

const connectTimeout = 1_500
const trusting = () => ({ serverRootCACertificate: Buffer.from(ours.authority) })

async function failure(options: ConnectOptions): Promise<{ what: string; remedy: string }> {
  try {
    await (await reach(options, connectTimeout)).close()
  } catch (error) {
    if (!(error instanceof EngineUnreachableError)) throw error
    return { what: error.message, remedy: error.remedy }
  }
  return { what: 'nothing', remedy: 'nothing' }
}

it('an engine behind TLS is reached with the certificate of its authority', async () => {
  const address = await behindTls()
  await (await reach({ address, tls: trusting() }, 10_000)).close()
})

it.each<{ name: string; options: () => Promise<ConnectOptions>; what: RegExp; remedy: RegExp }>([
  {
    name: 'nothing listens',
    options: () => Promise.resolve({ address: '127.0.0.1:9' }),
    what: /nothing listens there/,
    remedy: /TEMPORAL_ADDRESS/,
  },
  {
    name: 'TLS is off, and required',
    options: async () => ({ address: await behindTls() }),
    what: /closes connections without TLS/,
    remedy: /TEMPORAL_TLS,/,
  },
  {
    name: 'TLS is on, and not spoken',
    options: () => Promise.resolve({ address: server.address, tls: trusting() }),
    what: /does not speak TLS/,
    remedy: /TEMPORAL_TLS,/,
  },
  {
    name: 'the authority is unknown',
    options: async () => ({ address: await behindTls(), tls: {} }),
    what: /does not trust \(SELF_SIGNED_CERT_IN_CHAIN\)/,
    remedy: /SERVER_CA_CERT_PATH/,
  },
  {
    name: 'the name is another',
    options: async () => ({
      address: await behindTls(),
      tls: { ...trusting(), serverNameOverride: 'temporal.example' },
    }),
    what: /another name than temporal\.example/,
    remedy: /TLS_SERVER_NAME/,
  },
  {
    name: 'a client certificate is missing',
    options: async () => ({
      address: await behindTls({ requestCert: true, ca: ours.authority }),
      tls: trusting(),
    }),
    what: /asks for a client certificate \(mTLS\), and none is set/,
    remedy: /TLS_CLIENT_CERT_PATH/,
  },
  {
    name: 'the client certificate is of another authority',
    options: async () => ({
      address: await behindTls({ requestCert: true, ca: ours.authority }),
      tls: {
        ...trusting(),
        clientCertPair: { crt: Buffer.from(others.cert), key: Buffer.from(others.key) },
      },
    }),
    what: /refuses the client certificate/,
    remedy: /TLS_CLIENT_CERT_PATH/,
  },
  {
    name: 'the API key is refused',
    options: async () => ({ address: await checkingKeys(), tls: trusting(), apiKey: 'made-up' }),
    what: /refuses the API key/,
    remedy: /TEMPORAL_API_KEY/,
  },
  {
    name: 'an API key is missing',
    options: async () => ({ address: await checkingKeys(), tls: trusting() }),
    what: /asks for credentials, and none are set/,
    remedy: /TEMPORAL_API_KEY/,
  },
])('law 14: $name: the error says so, and names the setting', async ({ options, what, remedy }) => {
  const wanted = await options()
  const found = await failure(wanted)
  expect(found.what).toMatch(what)
  expect(found.what).toContain(wanted.address)
  expect(found.remedy).toMatch(remedy)
})
