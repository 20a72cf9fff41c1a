/** The mildest remedy for an agent that hangs: Escape interrupts its request, and SIGCONT resumes a stopped process. */
import type { InterruptRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'

/** Does nothing if the process is no longer the one that hung. */
export async function interruptAgent(host: Host, { session, fence, how }: InterruptRequest): Promise<void> {
  await host.records.runExclusive(session, async () => {
    const pane = await host.tmux.pane(session)
    if (pane === null || pane.dead || pane.fence !== fence) return
    if (how === 'stopped') process.kill(pane.pid, 'SIGCONT')
    else await host.tmux.press(pane.id, ['Escape'])
  })
}
