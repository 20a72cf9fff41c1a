/** Why nothing watches the sessions of this host, in a sentence: no worker runs, or tmux does not answer it. */
import { isAlive } from '../../config/state/isAlive.js'
import type { Home } from '../../config/state/home.js'
import type { LiveFile } from '../../config/state/liveFile.js'
import { isFresh } from './sessionRows.js'
import { ago } from '../output/times.js'
import { isTmuxHung, tmuxHungProblem, tmuxHungRemedy } from '../tmux/server.js'

/** A worker writes its file several times within this; asking tmux for each `ls` would cost a process. Milliseconds. */
const silentFor = 15_000

/** Null while a worker watches this host. Asks tmux only if the worker is silent. */
export async function unwatchedReason(home: Home, live: LiveFile | null, now: Date): Promise<string | null> {
  const isSilent = live === null || now.getTime() - Date.parse(live.at) > silentFor
  if (!isSilent) return null
  const seen = live === null ? '' : ` (last seen ${ago(live.at, now)})`
  if (live !== null && isAlive(live.pid) && (await isTmuxHung(home)))
    return `${tmuxHungProblem(home)}, so the state of sessions on this host is old${seen}: ${tmuxHungRemedy}`
  return isFresh(live, now) ? null : `no worker is watching on this host${seen}: start it with \`outpool up\``
}
