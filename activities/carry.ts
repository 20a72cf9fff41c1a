/** Brings a stopped session's conversation to the place where it goes on. Idempotent. */
import type { Carried, CarryRequest } from './contracts.js'
import { carryFailed } from './errors.js'
import type { Host } from './host.js'

/** Only in the session's own turn. */
export async function carry(host: Host, request: CarryRequest): Promise<Carried> {
  const adapter = host.adapter(request.agent)
  const to = await host.place(request.to)
  const from = request.from
    ? await host.place(request.from)
    : ((await host.newestTranscript(adapter, request.sessionId))?.place ?? null)
  if (from === null || (await adapter.findTranscript(from, request.sessionId)) === null)
    return { transcript: null, bytes: 0 }
  try {
    return await adapter.carry({ sessionId: request.sessionId, from, to })
  } catch (error) {
    throw carryFailed(error instanceof Error ? error.message : String(error))
  }
}
