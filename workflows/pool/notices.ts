/** Carries out what the notice board says (policy/notices/notices.ts). Nothing of the pool's own work waits for it. */
import { ActivityFailure } from '@temporalio/workflow'
import type { Announcement, Notice, NoticeBoard, NoticeSettings } from '../../policy/notices/notice.js'
import * as notices from '../../policy/notices/notices.js'
import { poolConditions } from '../../policy/notices/poolConditions.js'
import type { PoolState } from '../../policy/pool/transitions.js'
import { noticesOn } from '../proxies.js'

export class NoticeSender {
  board: NoticeBoard
  readonly #sending = new Set<string>()
  readonly #wake: () => void

  /** `wake` is called when a delivery has come back. */
  constructor(board: NoticeBoard | undefined, wake: () => void) {
    this.board = board ?? notices.newBoard
    this.#wake = wake
  }

  get isSending(): boolean {
    return this.#sending.size > 0
  }

  announce(state: PoolState, announcement: Announcement, now: string): void {
    const settings = settingsOf(state)
    if (settings !== null) this.board = notices.announce(this.board, announcement, settings, now)
  }

  /** Looks at what stands now, and sends what is due. */
  review(state: PoolState, now: string): void {
    const settings = settingsOf(state)
    if (settings === null) return
    this.board = notices.updateBoard(this.board, poolConditions(state, now), settings, now)
    for (const { notice, pendingChannels } of notices.dueNotices(this.board, now))
      if (!this.#sending.has(notice.id))
        void this.#send(state.settings.host, notice, pendingChannels, settings)
  }

  /** When to look again if nothing happens, or null. What is being sent wakes the pool by itself. */
  nextReviewAt(state: PoolState): string | null {
    const settings = settingsOf(state)
    if (settings === null) return null
    const outbox = this.board.outbox.filter(({ notice }) => !this.#sending.has(notice.id))
    return notices.nextReviewAt({ ...this.board, outbox }, settings)
  }

  async #send(host: string, notice: Notice, channels: string[], settings: NoticeSettings): Promise<void> {
    this.#sending.add(notice.id)
    const failed = await deliver(host, notice, channels)
    this.#sending.delete(notice.id)
    this.board = notices.recordDelivery(this.board, notice.id, failed, settings, new Date().toISOString())
    this.#wake()
  }
}

/** Nobody is told where nothing is configured; then the board stays empty, and the history as it is. */
function settingsOf({ settings }: PoolState): NoticeSettings | null {
  const { notices: configured } = settings
  return configured === undefined || configured.channels.length === 0 ? null : configured
}

/** The channels that did not take it: all, where the host did not carry it out. */
async function deliver(host: string, notice: Notice, channels: string[]): Promise<string[]> {
  const summary = `tell: ${notice.title}`.slice(0, 200)
  try {
    const outcome = await noticesOn(host).sendNotice.executeWithOptions({ summary }, [{ notice, channels }])
    return outcome.failed.map(({ channel }) => channel)
  } catch (error) {
    if (error instanceof ActivityFailure) return channels
    throw error
  }
}
