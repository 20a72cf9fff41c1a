/**
 * Why no engine can be reached, in the words of a person who has to correct it: Temporal's library reports only that the time is over.
 * Found by a second look at the same address: who listens, whether they speak TLS, and what they object to.
 */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls'
import { isGrpcServiceError } from '@temporalio/client'
import { splitAddress } from './engineAddress.js'
import type { ConfiguredEngine } from './temporalSettings.js'

export interface ConnectionProblem {
  /** What is wrong, as the end of a sentence that names the address. */
  what: string
  /** The setting to correct. */
  remedy: string
}

/** For each step of the second look. Milliseconds. */
const stepTimeout = 2_000

/** The beginning of HTTP/2, which gRPC speaks: the preface, and empty settings. */
const http2Start = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
])

/** Status codes of gRPC for credentials that are missing or wrong: PERMISSION_DENIED, UNAUTHENTICATED. */
const credentialsRefused = new Set<number>([7, 16])

const settings = {
  address: 'TEMPORAL_ADDRESS, or `address` of your Temporal profile',
  tls: 'TEMPORAL_TLS, or `tls` of your Temporal profile',
  authority: 'TEMPORAL_TLS_SERVER_CA_CERT_PATH, or `tls.server_ca_cert_path` of your Temporal profile',
  serverName: 'TEMPORAL_TLS_SERVER_NAME, or `tls.server_name` of your Temporal profile',
  client:
    'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or `tls.client_cert_path` and `tls.client_key_path` of your ' +
    'Temporal profile',
  apiKey: 'TEMPORAL_API_KEY, or `api_key` of your Temporal profile',
} as const

/** `error`: what the attempt to connect threw. Null if the second look finds nothing wrong either, as with a slow engine. */
export async function connectionProblem(
  options: ConfiguredEngine['options'],
  error: unknown,
): Promise<ConnectionProblem | null> {
  const refused = refusedCredentials(options, error)
  if (refused !== null) return refused
  const { host, port } = splitAddress(options.address)
  const socket = connectTcp(port, host)
  try {
    const failed = await outcome(socket, 'connect')
    if (failed !== null) return unreachable(failed)
    if (isTlsOn(options.tls)) return await lookThroughTls(socket, host, options.tls)
    return (await answersHttp2(socket)) ? null : plainRefused
  } finally {
    socket.destroy()
  }
}

function refusedCredentials(
  { apiKey }: ConfiguredEngine['options'],
  error: unknown,
): ConnectionProblem | null {
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    if (isGrpcServiceError(one) && credentialsRefused.has(one.code))
      return apiKey === undefined
        ? { what: 'asks for credentials, and none are set', remedy: `set ${settings.apiKey}` }
        : { what: 'refuses the API key', remedy: `correct ${settings.apiKey}` }
  return null
}

const plainRefused: ConnectionProblem = {
  what: 'closes connections without TLS, which it seems to require',
  remedy: `turn it on with ${settings.tls}`,
}

function unreachable(why: string): ConnectionProblem {
  const known: Record<string, string> = {
    ECONNREFUSED: 'refuses connections: nothing listens there',
    ENOTFOUND: 'has a host name that does not exist',
    EAI_AGAIN: 'has a host name that cannot be looked up now',
    timeout: 'does not accept connections: no answer at all',
  }
  return {
    what: known[why] ?? `cannot be reached (${why})`,
    remedy: `start it, or correct ${settings.address}`,
  }
}

type Tls = ConfiguredEngine['options']['tls']
type TlsSettings = Exclude<Tls, boolean | null | undefined>

const isTlsOn = (tls: Tls): tls is TlsSettings | true => tls !== undefined && tls !== null && tls !== false

async function lookThroughTls(
  socket: Socket,
  host: string,
  tls: TlsSettings | true,
): Promise<ConnectionProblem | null> {
  const { serverNameOverride, serverRootCACertificate, clientCertPair } =
    tls === true ? ({} as TlsSettings) : tls
  const name = serverNameOverride ?? host
  const options: TlsOptions = {
    ...{ socket, servername: name, host: name, ALPNProtocols: ['h2'] },
    ...(serverRootCACertificate ? { ca: Buffer.from(serverRootCACertificate) } : {}),
    ...(clientCertPair
      ? { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }
      : {}),
  }
  let secured: Socket
  try {
    secured = connectTls(options)
  } catch (error) {
    return {
      what: `cannot be used with these certificates (${codeOf(error)})`,
      remedy: `correct ${settings.client}, and ${settings.authority}`,
    }
  }
  const failed = await outcome(secured, 'secureConnect')
  if (failed !== null) return tlsProblem(failed, name, clientCertPair !== undefined)
  // With TLS 1.3 a server objects to the client's certificate only after the handshake.
  const objection = await objectionOf(secured)
  return objection === null ? null : tlsProblem(objection, name, clientCertPair !== undefined)
}

function tlsProblem(code: string, name: string, hasClient: boolean): ConnectionProblem {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|RECORD_OVERFLOW|^ended$|HTTP_REQUEST/.test(code))
    return { what: 'does not speak TLS', remedy: `turn it off with ${settings.tls}, or correct the address` }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      what: `has a certificate for another name than ${name}`,
      remedy: `name the right one with ${settings.serverName}`,
    }
  if (code === 'CERT_HAS_EXPIRED')
    return { what: 'has a certificate that has expired', remedy: 'renew it on the server' }
  if (/SELF_SIGNED|UNABLE_TO|CERT_UNTRUSTED|INVALID_CA/.test(code))
    return {
      what: `has a certificate that this machine does not trust (${code})`,
      remedy: `name the certificate of its authority with ${settings.authority}`,
    }
  if (/ALERT|^reset$/.test(code))
    return hasClient
      ? { what: `refuses the client certificate (${code})`, remedy: `correct ${settings.client}` }
      : { what: 'asks for a client certificate (mTLS), and none is set', remedy: `set ${settings.client}` }
  return { what: `does not agree on TLS (${code})`, remedy: `correct ${settings.tls}` }
}

/** Null once the event happens; otherwise the code of what happened instead. */
const outcome = (socket: Socket, event: 'connect' | 'secureConnect'): Promise<string | null> =>
  firstOf(socket, event, { ends: 'ended', silent: 'timeout' }).then(({ code }) => code)

/** Sends the beginning of HTTP/2. Null if the server answers it or keeps silent; otherwise the code of its objection. */
async function objectionOf(socket: Socket): Promise<string | null> {
  socket.write(http2Start)
  return (await firstOf(socket, 'data', { ends: 'reset', silent: null })).code
}

/** A server that wants TLS answers with an alert, whose first byte is 21, or closes. */
async function answersHttp2(socket: Socket): Promise<boolean> {
  socket.write(http2Start)
  const { code, bytes } = await firstOf(socket, 'data', { ends: 'reset', silent: null })
  return code === null && bytes?.[0] !== 21
}

/** Waits for the event, an error, the end or the timeout. `code` is null for the event. */
function firstOf(
  socket: Socket,
  event: 'connect' | 'secureConnect' | 'data',
  { ends, silent }: { ends: string; silent: string | null },
): Promise<{ code: string | null; bytes?: Buffer }> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ code: silent }), stepTimeout)
    const finish = (result: { code: string | null; bytes?: Buffer }): void => {
      clearTimeout(timer)
      resolve(result)
    }
    // Stays, since an error without a listener would end the process.
    socket.on('error', (error) => finish({ code: codeOf(error) }))
    socket.once('close', () => finish({ code: ends }))
    socket.once(event, (bytes?: Buffer) => finish({ code: null, ...(bytes === undefined ? {} : { bytes }) }))
  })
}

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
