/** Stops the session's agent and saves a person's pending input, also what they type while no agent runs. Idempotent per fence. */
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { SessionRef, StopResult, StopRequest } from '../contracts.js'
import { lastTranscript, recordProgress } from './conversation.js'
import type { Host } from '../../host/host.js'
import { endProcess, processStart, type ProcessRef } from '../../host/process/processes.js'
import type { LaunchRecord } from '../../host/state/sessionRecord.js'
import { noAgentFence, type Pane } from '../../host/tmux/panes.js'
import { pendingInputCommand, saveDraft, saveQueuedTexts } from './pendingInput.js'
import { StopFailedError } from '../errors.js'

export async function stopAgent(host: Host, request: StopRequest): Promise<StopResult> {
  return host.records.runExclusive(request.session, async () => {
    const { session, fence } = request
    const from = performance.now()
    const newest = host.records.newest(session)
    if (newest && newest.fence > fence) return { steps: [], wasWorking: false }
    const adapter = host.adapter(request.agent)
    const pane = await host.tmux.pane(session)
    const live = pane && !pane.dead && pane.fence !== noAgentFence ? pane : null
    const lastSessionId = newest?.sessionId ?? request.sessionId
    const transcript = await lastTranscript(host, adapter, session, { ...request, sessionId: lastSessionId })
    // Read before the process ends: a program may write on its end that its turn was interrupted.
    const wasWorking = await isWorking(host, adapter, request, live, transcript)
    // Before anything else: if a draft has to be kept and can't be read, the agent runs on.
    if (live) await savePendingInput(host, adapter, request, live, newest, transcript)
    // Recorded before the process ends: no launch with this fence, for example another attempt of one, may start a process afterwards.
    host.records.saveStop(session, fence)
    await host.tmux.showStopped(session, request.status)
    const paneStart = live ? await processStart(live.pid) : null
    const processes: (ProcessRef | null | undefined)[] = [
      newest?.process,
      live && paneStart !== null ? { pid: live.pid, start: paneStart } : null,
    ]
    let how: string = 'gone'
    for (const running of processes) {
      if (!running) continue
      const ended = await endProcess(running, host.config.timing.stopGrace)
      if (ended === false) throw new StopFailedError(running.pid)
      if (ended !== 'gone') how = ended
    }
    await recordProgress(host, adapter, session, lastSessionId, transcript, true)
    if (request.closePane) await host.tmux.closePane(session)
    else if (live?.visited === 'now') await host.tmux.hold(live.id, pendingInputCommand(host, session, fence))
    return { steps: [{ name: `stop (${how})`, ms: Math.round(performance.now() - from) }], wasWorking }
  })
}

/** Throws DraftUnreadable if the request keeps drafts. */
async function savePendingInput(
  host: Host,
  adapter: AgentAdapter,
  { session, sessionId, keepsDraft }: StopRequest,
  pane: Pane,
  launch: LaunchRecord | null,
  transcript: string | null,
): Promise<void> {
  if (transcript !== null && launch?.sessionId === sessionId)
    await saveQueuedTexts(host, adapter, session, transcript, launch)
  await saveDraft(host, adapter, pane, { mustBeWhole: keepsDraft ?? false })
}

/** A live process reports itself whether it works. If it waits for a person or is gone, the transcript tells. */
async function isWorking(
  host: Host,
  adapter: AgentAdapter,
  { place }: SessionRef,
  pane: Pane | null,
  transcript: string | null,
): Promise<boolean> {
  const known = host.knownPlace(place)
  const [state] = known && pane ? await adapter.readLiveStates(known, { pids: [pane.pid] }) : []
  if (state && state.activity !== 'waiting') return state.activity === 'busy'
  const end = transcript === null ? null : await adapter.readEnd(transcript)
  return end?.turn === 'open'
}
