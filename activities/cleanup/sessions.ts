/** Removes the folders of sessions that are over. */
import { expired, isSessionOver, type SessionTraces } from '../../policy/retention.js'
import type { Host } from '../../host/host.js'
import { isAlive } from '../../host/process/processes.js'
import { readForkRecords } from './forks.js'
import { lastChangedAt, listFolders } from './entries.js'

/** Asks the engine for the state of a session's workflow. */
export type GetWorkflowState = (session: string) => Promise<SessionTraces['workflow']>

/** Returns how many folders it removed. */
export async function removeSessions(host: Host, workflowOf: GetWorkflowState, now: number): Promise<number> {
  const withPane = new Set((await host.tmux.panes())?.map(({ session }) => session))
  const folders = listFolders(host.home.sessions)
    .filter(({ name }) => !withPane.has(name))
    .map(({ name, path }) => ({ name, path, changedAt: lastChangedAt(path) }))
  let removed = 0
  for (const folder of expired(folders, host.config.keep.sessions, now)) {
    // The record is needed as long as a fork has to be handed over.
    if (readForkRecords(host, folder.name)?.length !== 0) continue
    // Exclusive: a start of a session with this name happens before this, and is seen, or after it.
    await host.records.runExclusive(folder.name, async () => {
      if (lastChangedAt(folder.path) !== folder.changedAt) return
      if (!isSessionOver(await readSessionSigns(host, workflowOf, folder.name))) return
      host.records.forget(folder.name)
      removed += 1
    })
  }
  return removed
}

async function readSessionSigns(
  host: Host,
  workflowOf: GetWorkflowState,
  session: string,
): Promise<SessionTraces> {
  const process = host.records.newest(session)?.process ?? host.records.released(session)
  return {
    workflow: await workflowOf(session),
    hasPane: (await host.tmux.pane(session)) !== null,
    hasProcess: process !== null && (await isAlive(process)),
  }
}
