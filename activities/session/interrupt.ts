/** The mildest remedy for an agent that hangs: a key that breaks its request off, or the word to go on for one that was stopped. */
import type { InterruptRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'

/** Nothing happens where the process is no longer the one that was seen to hang. */
export async function interruptAgent(host: Host, { session, fence, how }: InterruptRequest): Promise<void> {
  await host.records.runExclusive(session, async () => {
    const pane = await host.tmux.pane(session)
    if (pane === null || pane.dead || pane.fence !== fence) return
    if (how === 'stopped') process.kill(pane.pid, 'SIGCONT')
    else await host.tmux.press(pane.id, ['Escape'])
  })
}
