/** Seals a value for a file of this host as messages are sealed: what was changed or cut by another does not open. */
import proto from '@temporalio/proto'
import { unprovenCause } from '../../policy/envelope.js'
import { parseJson } from '../../policy/parseJson.js'
import { keyIdOf, SealingCodec } from './codec.js'
import type { SealKeys } from './keys.js'

const { Payload: payloadMessage } = proto.temporal.api.common.v1

/** The value as JSON, sealed with the current key, in base64. `namespace`: as for SealingCodec. */
export async function sealAsText(keys: SealKeys, namespace: string, value: unknown): Promise<string> {
  const data = Buffer.from(JSON.stringify(value))
  const [sealed] = await new SealingCodec(keys, namespace).encode([{ metadata: {}, data }])
  return Buffer.from(payloadMessage.encode(sealed ?? {}).finish()).toString('base64')
}

/** Null if it was not sealed with one of these keys for this namespace. */
export function openText(keys: SealKeys, namespace: string, text: string): unknown {
  const payload = payloadOf(text)
  const opened = payload === null ? null : new SealingCodec(keys, namespace).open(payload)
  const value = parseJson(Buffer.from(opened?.data ?? []).toString())
  return unprovenCause(value) === null ? (value ?? null) : null
}

/** The id of the key with which the text was sealed; null if it is not sealed. */
export const keyIdOfText = (text: string): string | null => keyIdOf(payloadOf(text))

function payloadOf(text: string): ReturnType<typeof payloadMessage.decode> | null {
  try {
    return payloadMessage.decode(Buffer.from(text, 'base64'))
  } catch {
    return null
  }
}
