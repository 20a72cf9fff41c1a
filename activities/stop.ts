/** Stops the session's agent, keeping what a person has typed but not sent. Idempotent per fence. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Stopped, StopRequest } from './contracts.js'
import { stopFailed } from './errors.js'
import { writeFileAtomic } from './files.js'
import type { Host } from './host.js'
import { end, startOf, type ProcessRef } from './processes.js'

export async function stopAgent(host: Host, request: StopRequest, wasWorking: boolean): Promise<Stopped> {
  return host.records.inTurn(request.session, async () => {
    const { session, fence } = request
    const from = performance.now()
    const newest = host.records.newest(session)
    if (newest && newest.fence > fence) return { steps: [], wasWorking: false }
    // Said before anything is stopped: a launch of this fence that is still under way must not come after us.
    host.records.saveStop(session, fence)
    await host.tmux.showStatus(session, request.status)
    const pane = await host.tmux.pane(session)
    if (pane && !pane.dead) saveDraft(host, request, await host.tmux.colouredScreen(pane.id))
    const paneStart = pane && !pane.dead ? await startOf(pane.pid) : null
    const found: (ProcessRef | null | undefined)[] = [
      newest?.process,
      pane && paneStart !== null ? { pid: pane.pid, start: paneStart } : null,
    ]
    let how: string = 'gone'
    for (const running of found) {
      if (!running) continue
      const ended = await end(running, host.config.timing.stopGrace)
      if (ended === false) throw stopFailed(running.pid)
      if (ended !== 'gone') how = ended
    }
    if (request.closePane) await host.tmux.closePane(session)
    return { steps: [{ name: `stop (${how})`, ms: Math.round(performance.now() - from) }], wasWorking }
  })
}

const draftFile = (host: Host, session: string): string => join(host.records.folder(session), 'draft')

/** What was typed but not sent stays on this host, in a file of the session's, until the next process is up. */
function saveDraft(host: Host, request: StopRequest, screen: string): void {
  const draft = host.adapter(request.agent).readDraft(screen)
  if (draft !== null) writeFileAtomic(draftFile(host, request.session), draft)
}

/** Types an earlier process's draft into the new one, unsent, once. */
export async function restoreDraft(host: Host, session: string, pane: string): Promise<void> {
  const file = draftFile(host, session)
  let draft: string
  try {
    draft = readFileSync(file, 'utf8')
  } catch {
    return
  }
  rmSync(file, { force: true })
  await host.tmux.paste(pane, draft)
}
