/** Folders of sessions that are over. */
import { beyond, isOver, type SessionSigns } from '../../policy/retention.js'
import type { Host } from '../../host/host.js'
import { isAlive } from '../../host/process/processes.js'
import { notesOf } from './forks.js'
import { changedAt, subfoldersOf } from './entries.js'

/** What the engine says of a session's workflow. */
export type WorkflowOf = (session: string) => Promise<SessionSigns['workflow']>

/** Answers how many folders it removed. */
export async function forgetSessions(host: Host, workflowOf: WorkflowOf, now: number): Promise<number> {
  const withPane = new Set((await host.tmux.panes())?.map(({ session }) => session))
  const folders = subfoldersOf(host.home.sessions)
    .filter(({ name }) => !withPane.has(name))
    .map(({ name, path }) => ({ name, path, changedAt: changedAt(path) }))
  let removed = 0
  for (const folder of beyond(folders, host.config.keep.sessions, now)) {
    // Its record is what tells that a fork is still to be handed over.
    if (notesOf(host, folder.name)?.length !== 0) continue
    // In the session's own turn: whoever starts it anew right now comes before, and is seen, or after.
    await host.records.inTurn(folder.name, async () => {
      if (changedAt(folder.path) !== folder.changedAt) return
      if (!isOver(await signsOf(host, workflowOf, folder.name))) return
      host.records.forget(folder.name)
      removed += 1
    })
  }
  return removed
}

async function signsOf(host: Host, workflowOf: WorkflowOf, session: string): Promise<SessionSigns> {
  const process = host.records.newest(session)?.process ?? null
  return {
    workflow: await workflowOf(session),
    hasPane: (await host.tmux.pane(session)) !== null,
    hasProcess: process !== null && (await isAlive(process)),
  }
}
