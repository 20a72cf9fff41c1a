/** Stops the session's agent, keeping what a person has typed, and what they type while none is there. Idempotent per fence. */
import type { SessionRef, Stopped, StopRequest } from './contracts.js'
import { stopFailed } from './errors.js'
import type { Host } from './host.js'
import { end, startOf, type ProcessRef } from './processes.js'
import type { LaunchRecord } from './sessionRecord.js'
import { heldFence, type Pane } from './tmuxPanes.js'
import { holder, keepDraft, keepQueued } from './typed.js'

export async function stopAgent(host: Host, request: StopRequest, wasWorking: boolean): Promise<Stopped> {
  return host.records.inTurn(request.session, async () => {
    const { session, fence } = request
    const from = performance.now()
    const newest = host.records.newest(session)
    if (newest && newest.fence > fence) return { steps: [], wasWorking: false }
    // Said before anything is stopped: a launch of this fence that is still under way must not come after us.
    host.records.saveStop(session, fence)
    await host.tmux.showStopped(session, request.status)
    const pane = await host.tmux.pane(session)
    const live = pane && !pane.dead && pane.fence !== heldFence ? pane : null
    if (live) await keepTyped(host, request, live, newest)
    const paneStart = live ? await startOf(live.pid) : null
    const found: (ProcessRef | null | undefined)[] = [
      newest?.process,
      live && paneStart !== null ? { pid: live.pid, start: paneStart } : null,
    ]
    let how: string = 'gone'
    for (const running of found) {
      if (!running) continue
      const ended = await end(running, host.config.timing.stopGrace)
      if (ended === false) throw stopFailed(running.pid)
      if (ended !== 'gone') how = ended
    }
    if (request.closePane) await host.tmux.closePane(session)
    else if (live?.visited === 'now') await host.tmux.hold(live.id, holder(host, session, fence))
    return { steps: [{ name: `stop (${how})`, ms: Math.round(performance.now() - from) }], wasWorking }
  })
}

async function keepTyped(
  host: Host,
  { agent, session, sessionId, place }: SessionRef,
  pane: Pane,
  launch: LaunchRecord | null,
): Promise<void> {
  const adapter = host.adapter(agent)
  // A process has to be ended wherever it runs, also where the configuration has forgotten the place or its secrets.
  const files = host.filesIfNamed(place)
  const transcript = files && (await adapter.findTranscript(files, sessionId))
  if (transcript !== null && launch?.sessionId === sessionId)
    await keepQueued(host, adapter, session, transcript, launch)
  await keepDraft(host, adapter, pane)
}
