/** Lists the conversations in a config dir, and deletes one with all that belongs to it. */
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { StoredConversation } from '../../adapter/conversations.js'
import type { Place } from '../../adapter/place.js'
import { companions } from './carry.js'
import { isSessionId, projectsFolder } from '../paths.js'
import { transcriptsOf } from './transcript.js'

const ending = '.jsonl'

/** If there are two copies of a conversation, the newer one counts. */
export async function listConversations(place: Place): Promise<StoredConversation[]> {
  const found = new Map<string, number>()
  const projects = projectsFolder(place)
  for (const folder of await readdir(projects).catch(() => []))
    for (const name of await readdir(join(projects, folder)).catch(() => [])) {
      const id = basename(name, ending)
      if (!name.endsWith(ending) || !isSessionId(id)) continue
      const info = await stat(join(projects, folder, name)).catch(() => null)
      if (info?.isFile() === true) found.set(id, Math.max(found.get(id) ?? 0, info.mtimeMs))
    }
  return [...found].map(([sessionId, changedAt]) => ({ sessionId, changedAt }))
}

/** Deletes the transcript last: as long as it exists, the next call finds what is left. */
export async function deleteConversation(place: Place, sessionId: string): Promise<void> {
  const transcripts = await transcriptsOf(place, sessionId)
  const folders = [
    ...transcripts.map((file) => join(dirname(file), sessionId)),
    ...companions.map((name) => join(place.configDir, name, sessionId)),
  ]
  if (transcripts.length > 0)
    for (const path of [...folders, ...transcripts]) await rm(path, { recursive: true, force: true })
}
