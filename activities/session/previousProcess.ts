/** What a launch finds of the process before it: one to continue with, one to end, and texts to save. */
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import { placeAt } from '../../host/adoption/inspect.js'
import { StaleFenceError } from '../../host/errors.js'
import type { Host } from '../../host/host.js'
import { endProcess, isAlive, processStart, type ProcessRef } from '../../host/process/processes.js'
import type { LaunchRecord } from '../../host/state/sessionRecord.js'
import { noAgentFence } from '../../host/tmux/panes.js'
import type { LaunchRequest } from '../contracts.js'
import { ConversationHeldError, StopFailedError } from '../errors.js'
import { lastTranscript } from './conversation.js'
import { saveQueuedTexts } from './pendingInput.js'

/** The process of an earlier attempt of this launch, if it is alive. */
export async function runningLaunch(
  host: Host,
  session: string,
  fence: number,
): Promise<LaunchRecord | null> {
  const known = host.records.launch(session, fence)
  if (!known) return null
  if (known.process) return (await isAlive(known.process)) ? known : null
  // The worker was killed between starting the process and recording it. The pane still knows it.
  const pane = await host.tmux.pane(session)
  const start = pane?.fence === fence && !pane.dead ? await processStart(pane.pid) : null
  if (!pane || start === null) return null
  const launch = { ...known, process: { pid: pane.pid, start } }
  host.records.saveLaunch(session, launch)
  return launch
}

/** If the record of the session was broken, its pane shows the newest launch. Throws StaleFence. */
export async function assertNoneNewer(host: Host, session: string, fence: number): Promise<void> {
  const newest = (await host.tmux.pane(session))?.fence ?? 0
  if (newest > fence) throw new StaleFenceError(session, fence, newest)
}

/** Law 3: no live process may hold the conversation when the next one starts. Only Outpool's own processes are ended. */
export async function endPreviousProcess(
  host: Host,
  adapter: AgentAdapter,
  request: LaunchRequest,
): Promise<void> {
  const { session, sessionId, forkOf } = request
  const pane = await host.tmux.pane(session)
  const start = pane && !pane.dead && pane.fence !== noAgentFence ? await processStart(pane.pid) : null
  if (pane && start !== null) await endOrThrow(host, { pid: pane.pid, start })
  const newest = host.records.newest(session)
  if (newest?.process) await endOrThrow(host, newest.process)
  const adoptedFrom = request.adopt === undefined ? [] : [placeAt(request.adopt.configDir)]
  for (const place of [...host.allPlaces(), ...adoptedFrom]) {
    for (const conversation of [sessionId, ...(forkOf ? [forkOf] : [])]) {
      const [other] = await adapter.readLiveStates(place, { sessionId: conversation })
      if (other) throw new ConversationHeldError(conversation, other.pid)
    }
  }
}

async function endOrThrow(host: Host, process: ProcessRef): Promise<void> {
  if ((await endProcess(process, host.config.timing.stopGrace)) === false)
    throw new StopFailedError(process.pid)
}

/** Saves the texts in the queue of the previous process, which are lost with it, whatever its conversation was. */
export async function savePreviousQueue(host: Host, adapter: AgentAdapter, session: string): Promise<void> {
  const before = host.records.newest(session)
  const transcript = before && (await lastTranscript(host, adapter, session, before))
  if (before && transcript) await saveQueuedTexts(host, adapter, session, transcript, before)
}
