/**
 * Removes old forks from Outpool's own config dirs, and old hand-over files. A fork must have been handed over, which its
 * session's own conversation tells. Nothing but forks is removed, and nothing outside the folder of substrates.
 */
import { realpathSync, rmSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Place } from '../../agents/adapter/place.js'
import { expired, isForkSpent, type ForkStatus } from '../../policy/retention.js'
import { handOverFence, handOverFolder, unreportedWork } from '../session/handOver.js'
import type { Host } from '../../host/host.js'
import type { ForkRecord } from '../../host/state/sessionRecord.js'
import { lastChangedAt, listEntries, listFolders } from './entries.js'

interface ForkCopies extends ForkRecord {
  session: string
  /** Where there are copies of it. */
  places: Place[]
  changedAt: number
}

/** Returns how many forks it removed. */
export async function removeForks(host: Host, now: number): Promise<number> {
  const agents = new Map<string, Map<string, Pick<ForkCopies, 'places' | 'changedAt'>>>()
  const known: ForkCopies[] = []
  for (const { name: session } of listFolders(host.home.sessions))
    for (const record of readForkRecords(host, session) ?? []) {
      const conversations =
        agents.get(record.agent) ?? (await conversationsOnSubstrates(host, host.adapter(record.agent)))
      agents.set(record.agent, conversations)
      known.push({ ...record, session, ...(conversations.get(record.id) ?? { places: [], changedAt: 0 }) })
    }
  let removed = 0
  for (const fork of expired(known, host.config.keep.forks, now)) {
    const adapter = host.adapter(fork.agent)
    if (fork.places.length > 0 && !isForkSpent(await readForkSigns(host, adapter, fork))) continue
    for (const place of fork.places) await adapter.deleteConversation(place, fork.id)
    host.records.removeFork(fork.session, fork.id)
    removed += fork.places.length > 0 ? 1 : 0
  }
  return removed
}

/** Null if the session's record can't be read; nothing of that session is removed then. */
export function readForkRecords(host: Host, session: string): ForkRecord[] | null {
  try {
    return host.records.forks(session)
  } catch {
    return null
  }
}

/** Removes the healer's conversations on its own substrates. Their results are in the report of their incident. */
export async function removeWakeUpConversations(host: Host, now: number): Promise<number> {
  let removed = 0
  for (const { name, agent } of host.config.reservedSubstrates) {
    const place = host.readablePlace({ kind: 'substrate', name })
    const adapter = host.adapter(agent)
    for (const { sessionId } of expired(
      await adapter.listConversations(place),
      host.config.keep.incidents,
      now,
    )) {
      const path = await adapter.findTranscript(place, sessionId)
      if (path === null || !isOnOwnSubstrate(host, path)) continue
      if ((await adapter.readLiveStates(place, { sessionId })).length > 0) continue
      await adapter.deleteConversation(place, sessionId)
      removed += 1
    }
  }
  return removed
}

/** Keeps the newest of each session, which may not have been read yet. Returns how many files it removed. */
export function removeHandOvers(host: Host, now: number): number {
  const due = listFolders(host.home.sessions).flatMap(({ path }) => {
    const files = listEntries(join(path, handOverFolder))
      .flatMap((file) => {
        const fence = handOverFence(file.name)
        return fence === null ? [] : [{ ...file, fence, changedAt: lastChangedAt(file.path) }]
      })
      .sort((a, b) => a.fence - b.fence)
    const newest = files.at(-1)
    return expired(files, host.config.keep.handOvers, now).filter((file) => file !== newest)
  })
  for (const { path } of due) rmSync(path, { force: true })
  return due.length
}

/** By id, with their places. Includes substrates that the configuration no longer names. */
async function conversationsOnSubstrates(
  host: Host,
  adapter: AgentAdapter,
): Promise<Map<string, Pick<ForkCopies, 'places' | 'changedAt'>>> {
  const found = new Map<string, Pick<ForkCopies, 'places' | 'changedAt'>>()
  for (const { name, path: configDir } of listFolders(host.home.substrates)) {
    const place: Place = { kind: 'substrate', name, configDir, env: {} }
    for (const { sessionId, changedAt } of await adapter.listConversations(place)) {
      const known = found.get(sessionId)
      const places = [...(known?.places ?? []), place]
      found.set(sessionId, { places, changedAt: Math.max(known?.changedAt ?? 0, changedAt) })
    }
  }
  return found
}

async function readForkSigns(
  host: Host,
  adapter: AgentAdapter,
  { id, to, places }: ForkCopies,
): Promise<ForkStatus> {
  const conversation = (await host.newestTranscript(adapter, to))?.path ?? null
  const signs: ForkStatus = { isHandedOver: conversation !== null, isOpen: false }
  for (const place of places) {
    const path = await adapter.findTranscript(place, id)
    const isRead = path !== null && isOnOwnSubstrate(host, path)
    if (!isRead || (await unreportedWork(adapter, conversation, conversation, id, path)) !== null)
      signs.isHandedOver = false
    if ((await adapter.readLiveStates(place, { sessionId: id })).length > 0) signs.isOpen = true
  }
  return signs
}

/** A link may lead from a substrate's config dir to one of the user's. */
const isOnOwnSubstrate = ({ home }: Host, path: string): boolean =>
  path.startsWith(`${realpathSync(home.substrates)}${sep}`)
