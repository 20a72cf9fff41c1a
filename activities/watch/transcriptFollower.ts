/** Follows the transcript of one launch: reads what is added to it, and records how far the conversation has come. */
import { statSync } from 'node:fs'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { TranscriptTail, TurnFailure } from '../../agents/adapter/transcript.js'
import type { Host } from '../../host/host.js'
import type { WatchRequest } from '../contracts.js'
import { lastTranscript, recordProgress } from '../session/conversation.js'
import { elapsed } from '../../policy/instants.js'

/** Progress is recorded at each turn's end, and in a long turn at most this often. */
const saveProgressEvery = 60_000

export class TranscriptFollower {
  /** Null until it was found: the agent writes it with its first prompt. */
  path: string | null = null
  /** Bytes read so far. */
  offset: number
  /** Why the newest turn failed; null if it did not. */
  failure: TurnFailure | null = null
  /** The hook that stopped the newest turn, and its reason; null if none did. */
  stop: { hook: string; reason: string } | null = null
  /** Whether the newest turn had an answer. */
  isAnswered = false

  readonly #host: Host
  readonly #adapter: AgentAdapter
  readonly #request: WatchRequest
  #progressSavedAt = -Infinity
  #hasUnsavedProgress = true

  constructor(host: Host, adapter: AgentAdapter, request: WatchRequest) {
    this.#host = host
    this.#adapter = adapter
    this.#request = request
    this.offset = request.transcriptFrom
  }

  /** Null if nothing was added since the last time. */
  async read(): Promise<TranscriptTail | null> {
    const { session, sessionId, place } = this.#request
    this.path ??= await this.#adapter.findTranscript(this.#host.readablePlace(place), sessionId)
    if (this.path === null || fileSize(this.path) <= this.offset) return null
    const forkedAt = this.#host.records.forkedAt(session, sessionId)
    const tail = await this.#adapter.readTail(this.path, this.offset, forkedAt)
    this.offset = tail.offset
    this.#hasUnsavedProgress = true
    if (elapsed(this.#progressSavedAt, Date.now()) >= saveProgressEvery) await this.saveProgress()
    if (place.kind === 'substrate')
      await this.#host.spending.count(place.name, this.#adapter, this.path, forkedAt)
    if (tail.last !== null) {
      this.failure = tail.last.kind === 'failure' ? tail.last.failure : null
      this.stop = tail.last.kind === 'stopped' ? tail.last : null
      this.isAnswered = tail.last.kind === 'answer'
    }
    return tail
  }

  /** Does nothing if nothing was added since the last time. */
  async saveProgress(): Promise<void> {
    if (!this.#hasUnsavedProgress) return
    this.#hasUnsavedProgress = false
    this.#progressSavedAt = Date.now()
    const { session, sessionId } = this.#request
    await recordProgress(this.#host, this.#adapter, session, sessionId, this.path, false)
  }

  /**
   * Whether the process, which has ended, left a turn unfinished. Only its transcript tells: its last known state may be old,
   * and a new watch has seen none. A failed turn counts only if the failure was not reported before.
   */
  async wasTurnInterrupted(): Promise<boolean> {
    const { session, sessionId } = this.#request
    const path = this.path ?? (await lastTranscript(this.#host, this.#adapter, session, this.#request))
    const end = await recordProgress(this.#host, this.#adapter, session, sessionId, path, true)
    return end?.turn === 'open' || (end?.turn === 'failed' && this.failure !== null)
  }
}

function fileSize(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}
