/**
 * Seals payloads with AES-256-GCM, so that the engine stores nothing readable and our workers act on nothing that was not made with one
 * of our keys. A payload that is not sealed is decoded to a mark instead of failing, since a failure would let its sender block the
 * workflow.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Payload, PayloadCodec } from '@temporalio/common'
import proto from '@temporalio/proto'
import { readable, readableText, type Unproven, unprovenMark } from '../../policy/envelope.js'
import type { SealKeys } from './keys.js'

const { Payload: payloadMessage } = proto.temporal.api.common.v1

/** How the Web UI and other tools name the format. */
export const sealedEncoding = 'binary/outpool-sealed'

const cipher = 'aes-256-gcm'
/** Bytes, as usual for GCM. */
const nonceLength = 12
const tagLength = 16

const encoding = 'encoding'
const keyId = 'key'
const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString()

export class SealingCodec implements PayloadCodec {
  readonly #keys: SealKeys
  readonly #namespace: string

  /** `namespace`: what is sealed for one can't be used in another. */
  constructor(keys: SealKeys, namespace: string) {
    this.#keys = keys
    this.#namespace = namespace
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((payload) => asReadable(payload) ?? this.#seal(payload)))
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((payload) => this.open(payload) ?? mark('unsealed')))
  }

  #seal(payload: Payload): Payload {
    const { id, bytes } = this.#keys.current
    const nonce = randomBytes(nonceLength)
    const sealing = createCipheriv(cipher, bytes, nonce, { authTagLength: tagLength })
    sealing.setAAD(this.#context(id))
    const sealed = [sealing.update(payloadMessage.encode(payload).finish()), sealing.final()]
    return {
      metadata: { [encoding]: Buffer.from(sealedEncoding), [keyId]: Buffer.from(id) },
      data: Buffer.concat([nonce, sealing.getAuthTag(), ...sealed]),
    }
  }

  /** What was sealed, or a mark for a key that we don't have; null if it is not sealed. */
  open(payload: Payload): Payload | null {
    if (text(payload.metadata?.[encoding]) !== sealedEncoding) return null
    const id = text(payload.metadata?.[keyId])
    const key = this.#keys.find(id)
    if (key === undefined) return mark('unknown key')
    const data = Buffer.from(payload.data ?? [])
    if (data.length < nonceLength + tagLength) return null
    const opening = createDecipheriv(cipher, key.bytes, data.subarray(0, nonceLength), {
      authTagLength: tagLength,
    })
    opening.setAAD(this.#context(id))
    opening.setAuthTag(data.subarray(nonceLength, nonceLength + tagLength))
    try {
      const opened = [opening.update(data.subarray(nonceLength + tagLength)), opening.final()]
      return payloadMessage.decode(Buffer.concat(opened))
    } catch {
      return null
    }
  }

  #context(id: string): Buffer {
    return Buffer.from(JSON.stringify(['outpool payload', 1, this.#namespace, id]))
  }
}

/** The id of the key with which a payload says it was sealed, or null. */
export const keyIdOf = (payload: Payload | null | undefined): string | null =>
  text(payload?.metadata?.[encoding]) === sealedEncoding ? text(payload?.metadata?.[keyId]) : null

const json = (value: unknown): Payload => ({
  metadata: { [encoding]: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
})

const mark = (why: Unproven): Payload => json(unprovenMark(why))

/** How `readable` begins in JSON: spares us the parsing of everything else. */
const readableStart = JSON.stringify(readable('')).slice(0, -'""}'.length)

function asReadable({ data }: Payload): Payload | null {
  if (!text(data?.subarray(0, readableStart.length)).startsWith(readableStart)) return null
  const marked = readableText(JSON.parse(text(data)))
  return marked === null ? null : json(marked)
}
