/**
 * Samples the host for all watches of a worker. However many sessions there are, a tick costs one tmux call and one read of
 * each place's live states; a report wakes only the session that it is about.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { LiveState } from '../../agents/adapter/liveness.js'
import type { LiveFile } from '../../config/state/liveFile.js'
import type { PlaceRef } from '../contracts.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import { processStart } from '../../host/process/processes.js'
import type { Pane } from '../../host/tmux/panes.js'
import { moveThreshold } from '../../policy/account/windows.js'
import { isSamePlace } from '../../policy/session/place.js'
import { elapsed } from '../../policy/instants.js'
import { PollingLoop } from '../pollingLoop.js'
import { ReportInbox } from './reportInbox.js'
import type { HostObservation, SessionWatch } from './sessionWatch.js'
import { log } from '../../host/log.js'

/**
 * Each heartbeat of a watch is a write in the engine; two fit within the heartbeat timeout of five minutes. No configuration
 * key: with longer intervals the engine would take a watch for dead, and shorter ones only cost more.
 */
const heartbeatEvery = 2 * 60_000
/**
 * `live.json` is rewritten at least this often, so that its age tells whether a worker runs. No configuration key: its readers
 * depend on this interval, and may have another configuration.
 */
const publishEvery = 10_000
/** A phase that changes between two ticks is published after this: soon for a person, and once for a herd. */
const publishChangeAfter = 200
/** In a fleet of hundreds, listing all panes costs as much as asking for this many by name; in a small one it is cheap. */
const maxPanesByName = 10

const panesByName = (panes: readonly Pane[]): Map<string, Pane> =>
  new Map(panes.map((pane) => [pane.session, pane]))

export class Sampler {
  /** Places whose states could not be read the last time. */
  readonly #unreadable = new Set<string>()
  readonly #host: Host
  readonly #watches = new Map<string, SessionWatch>()
  readonly #reports: ReportInbox
  readonly #loop: PollingLoop
  #sampledAt = performance.now()
  #published = { at: 0, content: '' }
  #publishing: NodeJS.Timeout | null = null
  #process: Pick<LiveFile, 'pid' | 'start'> = { pid: process.pid }

  constructor(host: Host) {
    this.#host = host
    this.#reports = new ReportInbox(host, {
      watchOf: (session) => this.#watches.get(session),
      update: (sessions) => this.#updateWatches(sessions),
    })
    this.#loop = new PollingLoop({
      run: () => this.#tick(),
      pauseAfter: () => host.config.timing.pollEvery,
      failureText: 'this host could not be sampled, and is sampled again in a moment',
    })
  }

  /** The age of the last successful tick, in milliseconds. */
  get sampleAge(): number {
    return performance.now() - this.#sampledAt
  }

  isWatched(name: string): boolean {
    return this.#watches.has(name)
  }

  /** The phases of all sessions that are watched now, in no order. */
  phases(): SessionWatch['phase'][] {
    return [...this.#watches.values()].map(({ phase }) => phase)
  }

  start(): void {
    this.#reports.start()
    this.#loop.start()
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
    await this.#reports.stop()
    if (this.#publishing !== null) clearTimeout(this.#publishing)
  }

  /** A newer watch of the same session takes the older one's place. */
  async add(session: SessionWatch): Promise<void> {
    this.#watches.get(session.name)?.release()
    this.#watches.set(session.name, session)
    this.#reports.drainSoon()
    await this.#updateWatches([session])
    this.#publishSoon()
  }

  remove(session: SessionWatch): void {
    if (this.#watches.get(session.name) === session) this.#watches.delete(session.name)
  }

  /** Ends the watch of a session that another step of this host is about to stop or move. */
  release(name: string, upToFence: number): void {
    const watch = this.#watches.get(name)
    if (watch && watch.fence <= upToFence) watch.release()
  }

  phase(name: string, fence: number): SessionWatch['phase'] | null {
    const watch = this.#watches.get(name)
    return watch?.fence === fence ? watch.phase : null
  }

  /** Whether the session's program has reported a prompt since then (ms since the epoch). */
  submittedSince(name: string, fence: number, since: number): boolean {
    const watch = this.#watches.get(name)
    return watch?.fence === fence && watch.submittedAt >= since
  }

  /** Whether the agent accepts a text, or a command of its program, under this fence now. */
  accepts(what: 'text' | 'command', name: string, fence: number): boolean {
    const watch = this.#watches.get(name)
    if (watch?.fence !== fence) return false
    return watch.phase === 'idle' || (what === 'command' && watch.acceptsCommands)
  }

  /** True once the session is idle under this fence; false when that process is no longer the session's. */
  untilIdle(name: string, fence: number, signal: AbortSignal): Promise<boolean> {
    return this.untilAccepts('text', name, fence, signal)
  }

  /** Like `untilIdle`, but any session at rest accepts a command. Runs `beforeCheck` before each check. */
  async untilAccepts(
    what: 'text' | 'command',
    name: string,
    fence: number,
    signal: AbortSignal,
    beforeCheck: () => Promise<void> = () => Promise.resolve(),
  ): Promise<boolean> {
    for (;;) {
      await beforeCheck()
      if (this.accepts(what, name, fence)) return true
      const newest = this.#host.records.newest(name)
      if ((newest && newest.fence > fence) || this.#host.records.isStopped(name, fence)) return false
      await delay(200, undefined, { signal })
    }
  }

  async #tick(): Promise<void> {
    this.#process.start ??= (await processStart(process.pid)) ?? undefined
    this.#reports.drainSoon()
    await this.#updateWatches([...this.#watches.values()], (session, observation) =>
      session.isDue(observation),
    )
    const now = Date.now()
    this.#sendHeartbeats(now)
    this.#publish(now)
    if (this.#host.usage.isDue(now)) this.#recordUsage(now)
    this.#sampledAt = performance.now()
  }

  /** The longest silent first, and so few per tick that other calls of the engine don't have to wait. */
  #sendHeartbeats(now: number): void {
    const atOnce = Math.ceil((2 * this.#watches.size * this.#host.config.timing.pollEvery) / heartbeatEvery)
    const due = [...this.#watches.values()].filter(
      ({ heartbeatAt }) => elapsed(heartbeatAt, now) >= heartbeatEvery,
    )
    for (const session of due.sort((a, b) => a.heartbeatAt - b.heartbeatAt).slice(0, atOnce))
      session.sendHeartbeat()
  }

  async #updateWatches(
    sessions: SessionWatch[],
    isDue: (session: SessionWatch, observation: HostObservation) => boolean = () => true,
  ): Promise<void> {
    if (sessions.length === 0) return
    const observation = await this.#observe(sessions)
    const due = sessions.filter((session) => isDue(session, observation))
    const before = due.map(({ phase }) => phase)
    await Promise.all(due.map((session) => session.update(observation)))
    if (due.some(({ phase }, index) => phase !== before[index])) this.#publishSoon()
  }

  async #observe(sessions: SessionWatch[]): Promise<HostObservation> {
    const panes = await this.#panes(sessions)
    const byPlace = new Map<string, { agent: string; place: PlaceRef; pids: number[] }>()
    for (const { name, agent, place } of sessions) {
      const key = `${agent} ${place.kind} ${place.name}`
      const group = byPlace.get(key) ?? { agent, place, pids: [] }
      const pane = panes?.get(name)
      if (pane) group.pids.push(pane.pid)
      byPlace.set(key, group)
    }
    const live = await Promise.all(
      [...byPlace].map(([key, { agent, place, pids }]) => this.#liveStates(key, agent, place, pids)),
    )
    return { panes, live: new Map(live.flat().map((state) => [state.pid, state])) }
  }

  /** None if they can't be read, for example because the account's folder is gone: the sessions of other places are watched on. */
  async #liveStates(key: string, agent: string, place: PlaceRef, pids: number[]): Promise<LiveState[]> {
    try {
      const states = await this.#host.adapter(agent).readLiveStates(this.#host.readablePlace(place), { pids })
      this.#unreadable.delete(key)
      return states
    } catch (error) {
      if (!this.#unreadable.has(key))
        log.warn({ err: error }, `the states of the agents on ${place.name} can't be read`)
      this.#unreadable.add(key)
      return []
    }
  }

  /** A few panes are asked for by name, many with one call. Null when no tmux server answers. */
  async #panes(sessions: readonly SessionWatch[]): Promise<HostObservation['panes']> {
    const { tmux } = this.#host
    if (sessions.length <= maxPanesByName) {
      const found = await Promise.all(sessions.map(({ name }) => tmux.pane(name)))
      const panes = found.filter((pane) => pane !== null)
      // If one is missing, the whole tmux server may be gone.
      if (panes.length === sessions.length) return panesByName(panes)
    }
    const all = await tmux.panes()
    return all && panesByName(all)
  }

  /** What the pool's accounts use now, for forecasts. */
  #recordUsage(now: number): void {
    const { config, quota, usage } = this.#host
    const samples = config.pool.accounts.map(({ name, ceiling }) => ({
      ...{ account: name, at: now, windows: quota.read(name).windows },
      sessions: [...this.#watches.values()].filter(({ place }) =>
        isSamePlace(place, { kind: 'account', name }),
      ).length,
      limit: moveThreshold(config.pool.moveAt, ceiling),
    }))
    usage.record(samples, now)
  }

  #publishSoon(): void {
    this.#publishing ??= setTimeout(() => {
      try {
        this.#publish(Date.now())
      } catch (error) {
        log.error(
          { err: error },
          `${this.#host.home.liveFile} could not be written, and is written again in a moment`,
        )
      }
    }, publishChangeAfter).unref()
  }

  #publish(now: number): void {
    if (this.#publishing !== null) clearTimeout(this.#publishing)
    this.#publishing = null
    const { config, quota } = this.#host
    const accounts = [...this.#host.readings(), ...config.reserved.map(({ name }) => quota.read(name))]
    const sessions: LiveFile['sessions'] = {}
    for (const {
      name,
      phase,
      waitingFor,
      fence,
      transcript,
      background,
      nextWakeUp,
      question,
    } of this.#watches.values())
      sessions[name] = { phase, waitingFor, fence, transcript, background, nextWakeUp, question }
    const content = JSON.stringify({ sessions, accounts })
    if (content === this.#published.content && elapsed(this.#published.at, now) < publishEvery) return
    this.#published = { at: now, content }
    const live: LiveFile = { at: new Date(now).toISOString(), ...this.#process, sessions, accounts }
    writeFileAtomic(this.#host.home.liveFile, JSON.stringify(live), { isDurable: false })
  }
}
