/** Clients with the keys of a home, and histories as text, stored and opened. */
import { Client, type Connection } from '@temporalio/client'
import type { Payload } from '@temporalio/common'
import { sealedClientOptions } from '../../config/seal/client.js'
import { SealingCodec } from '../../config/seal/codec.js'
import { ensureSealKeys } from '../../config/seal/keys.js'
import type { Home } from '../../config/state/home.js'

/** A client as the product's own: workers act on its messages. */
export const sealedClient = (home: Home, connection: Connection, namespace = 'default'): Client =>
  new Client({ connection, namespace, ...sealedClientOptions(ensureSealKeys(home), namespace) })

/** Everything that a history holds: as it is stored, then the content of every sealed payload. */
export function historyText(home: Home, history: unknown, namespace = 'default'): string {
  const codec = new SealingCodec(ensureSealKeys(home), namespace)
  const opened: string[] = []
  const stored = JSON.stringify(history, (key, value: unknown) => {
    const payload = payloadOf(value)
    const content = payload === null ? null : codec.open(payload)
    if (content) opened.push(Buffer.from(content.data ?? []).toString())
    return key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value
  })
  return [stored, ...opened].join('\n')
}

/** In JSON, bytes are in base64. */
function payloadOf(value: unknown): Payload | null {
  if (typeof value !== 'object' || value === null) return null
  const { metadata, data } = value as { metadata?: unknown; data?: unknown }
  if (typeof metadata !== 'object' || metadata === null || typeof data !== 'string') return null
  const bytes = Object.entries(metadata).map(([key, one]) => [key, Buffer.from(String(one), 'base64')])
  return { metadata: Object.fromEntries(bytes) as Record<string, Buffer>, data: Buffer.from(data, 'base64') }
}
