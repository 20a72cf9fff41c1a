/** Sends the notices of the pool's board (policy/notices/notices.ts). The pool's other work does not wait for them. */
import { ActivityFailure } from '@temporalio/workflow'
import type { NoticeRequest } from '../../activities/contracts.js'
import type { Announcement, NoticeSettings } from '../../policy/notices/notice.js'
import * as notices from '../../policy/notices/notices.js'
import { livingHost } from '../../policy/notices/hostReport.js'
import { poolConditions } from '../../policy/notices/poolConditions.js'
import { now } from '../now.js'
import { noticesOn } from '../proxies.js'
import { noticeTexts } from './noticeTexts.js'
import type { PoolWorkflowState } from './state.js'

export class NoticeSender {
  readonly #state: PoolWorkflowState
  readonly #sending = new Set<string>()
  readonly #wake: () => void

  /** `wake` is called when a delivery has ended. */
  constructor(state: PoolWorkflowState, wake: () => void) {
    this.#state = state
    this.#wake = wake
  }

  get isSending(): boolean {
    return this.#sending.size > 0
  }

  announce(announcement: Announcement, now: string): void {
    const settings = this.#settings()
    if (settings !== null)
      this.#state.notices = notices.announce(this.#state.notices, announcement, settings, now)
  }

  /** Updates the board with the pool's conditions, and sends what is due. */
  review(now: string): void {
    const settings = this.#settings()
    if (settings === null) return
    const { pool, hosts = [] } = this.#state
    const conditions = poolConditions(pool, hosts, now)
    this.#state.notices = notices.updateBoard(this.#state.notices, conditions, settings, now, noticeTexts)
    for (const { notice, pendingChannels } of notices.dueNotices(this.#state.notices, now))
      if (!this.#sending.has(notice.id)) void this.#send({ notice, channels: pendingChannels }, settings)
  }

  /** When the next review is due if nothing happens, or null. The end of a delivery wakes the pool by itself. */
  nextReviewAt(): string | null {
    const settings = this.#settings()
    if (settings === null) return null
    const outbox = this.#state.notices.outbox.filter(({ notice }) => !this.#sending.has(notice.id))
    return notices.nextReviewAt({ ...this.#state.notices, outbox }, settings)
  }

  async #send(request: NoticeRequest, settings: NoticeSettings): Promise<void> {
    const { id } = request.notice
    this.#sending.add(id)
    const { pool, hosts = [] } = this.#state
    const failed = await deliver(livingHost(pool.settings.host, hosts), request)
    this.#sending.delete(id)
    this.#state.notices = notices.recordDelivery(this.#state.notices, id, failed, settings, now())
    this.#wake()
  }

  /** Null if no channel is configured: then the board stays empty, and no step is taken. */
  #settings(): NoticeSettings | null {
    const { notices: configured } = this.#state.pool.settings
    return configured === undefined || configured.channels.length === 0 ? null : configured
  }
}

/** Returns the channels that did not take the notice: all of them if the step failed. */
async function deliver(host: string, request: NoticeRequest): Promise<string[]> {
  const summary = `notify: ${request.notice.title}`.slice(0, 200)
  try {
    const { failed } = await noticesOn(host).sendNotice.executeWithOptions({ summary }, [request])
    return failed.map(({ channel }) => channel)
  } catch (error) {
    if (error instanceof ActivityFailure) return request.channels
    throw error
  }
}
