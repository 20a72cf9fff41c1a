/** Notices when a busy agent hangs: nothing new on its screen, or nothing new in its transcript, for too long. */
import { hasSlept } from '../../policy/hostSleep.js'
import { detectHang, type Hang } from '../../policy/session/hang.js'
import type { Host } from '../../host/host.js'
import { hasChildren, isStopped } from '../../host/process/processes.js'
import type { Pane } from '../../host/tmux/panes.js'

export class HangDetector {
  readonly #host: Host
  #lastActivityAt = Date.now()
  #suspendedMs: number
  #resumedAt = 0

  constructor(host: Host) {
    this.#host = host
    this.#suspendedMs = host.suspendClock()
  }

  /** The agent is at rest, or has written to its transcript. */
  recordActivity(): void {
    this.#lastActivityAt = Date.now()
  }

  /** Null if the agent doesn't hang. A screen that repaints tells a hanging request from a process that does nothing at all. */
  async check(pane: Pane): Promise<Hang | null> {
    const { timing } = this.#host.config
    const now = Date.now()
    const suspendedMs = this.#host.suspendClock()
    if (hasSlept(this.#suspendedMs, suspendedMs)) this.#resumedAt = now
    this.#suspendedMs = suspendedMs
    // A clock that was set back must not hide a hang until it has come here again.
    this.#resumedAt = Math.min(this.#resumedAt, now)
    this.#lastActivityAt = Math.min(this.#lastActivityAt, now)
    // A tool that runs for long prints nothing meanwhile. Child processes are only counted when that decides.
    if (now - this.#lastActivityAt > timing.hungAfter && (await hasChildren(pane.pid)))
      this.#lastActivityAt = now
    const signs = {
      now,
      drawnAt: pane.activeAt,
      lastActivityAt: this.#lastActivityAt,
      awakeAt: this.#resumedAt,
    }
    return detectHang({ ...signs, isStopped: isStopped(pane.pid) }, timing)
  }
}
