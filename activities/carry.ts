/** Brings a stopped session's conversation to the place where it goes on. Idempotent. */
import type { Carried, CarryRequest } from './contracts.js'
import { carryFailed } from './errors.js'
import { statSync } from 'node:fs'
import type { Place } from '../agents/agent.js'
import type { Host } from './host.js'

export async function carryConversation(host: Host, request: CarryRequest): Promise<Carried> {
  return host.records.inTurn(request.session, async () => {
    const adapter = host.adapter(request.agent)
    const to = await host.place(request.to)
    const from = request.from ? await host.place(request.from) : await newestCopy(host, request)
    if (from === null || (await adapter.findTranscript(from, request.sessionId)) === null)
      return { transcript: null, bytes: 0 }
    try {
      return await adapter.carry({ sessionId: request.sessionId, from, to })
    } catch (error) {
      throw carryFailed(error instanceof Error ? error.message : String(error))
    }
  })
}

/** The place whose copy was written last: earlier stays leave older states of the conversation behind. */
async function newestCopy(host: Host, request: CarryRequest): Promise<Place | null> {
  const adapter = host.adapter(request.agent)
  let newest: { place: Place; writtenAt: number } | null = null
  for (const place of await host.allPlaces()) {
    const transcript = await adapter.findTranscript(place, request.sessionId)
    const writtenAt = transcript === null ? 0 : statSync(transcript).mtimeMs
    if (writtenAt > (newest?.writtenAt ?? 0)) newest = { place, writtenAt }
  }
  return newest?.place ?? null
}
