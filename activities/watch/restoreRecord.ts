/** Makes the record of a session again that was found broken: the pane knows the process, and the workflow knows the rest. */
import type { WatchRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'
import { processStart } from '../../host/process/processes.js'

/** Does nothing if the record is whole, or if the session's process does not run. */
export async function restoreRecord(host: Host, request: WatchRequest): Promise<void> {
  const { session, fence, place, agent, sessionId, cwd, transcriptFrom } = request
  if (!host.records.isLost(session)) return
  const pane = await host.tmux.pane(session)
  if (pane?.fence !== fence || pane.dead) return
  const start = await processStart(pane.pid)
  const process = start === null ? null : { pid: pane.pid, start }
  const ref = { fence, place, agent, sessionId, cwd }
  host.records.saveLaunch(session, { ...ref, process, transcriptFrom, prompt: null, forkedAt: null })
}
