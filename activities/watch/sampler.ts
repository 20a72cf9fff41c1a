/**
 * The one look-out of a host. Whatever the number of sessions, a tick costs one tmux call and one look at each place's
 * live states; reports wake only the session they speak of.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  type FSWatcher,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentReport } from '../../agents/agent.js'
import type { LiveFile } from '../../config/state/liveFile.js'
import type { PlaceRef } from '../contracts.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import type { Pane } from '../../host/tmux/panes.js'
import type { HostObservation, SessionWatch } from './sessionWatch.js'

/**
 * Heartbeats of watches, each a write in the engine: two within their heartbeat timeout, which is five minutes. No key: longer
 * and the engine would take a watch for dead, shorter and each would cost more for nothing.
 */
const heartbeatEvery = 2 * 60_000
/**
 * `live.json` is rewritten at least this often, so that its age tells whether a worker is there. No key: its readers, which may
 * have another configuration, count on it.
 */
const publishEvery = 10_000
/** A report for a session that nobody watches yet waits this long for its watch. */
const unclaimedFor = 60_000
/** A herd leaves reports by the hundred: those of a moment are read together. */
const drainDebounce = 20

/** The list of all panes costs as much as so many single ones in a fleet of hundreds, and next to nothing in a small one. */
const maxPanesByName = 10

const panesByName = (panes: readonly Pane[]): Map<string, Pane> =>
  new Map(panes.map((pane) => [pane.session, pane]))

export class Sampler {
  readonly #host: Host
  readonly #sampleEvery: number
  readonly #watches = new Map<string, SessionWatch>()
  #reportsWatcher: FSWatcher | null = null
  #stopped = new AbortController()
  #running: Promise<void> | null = null
  #draining: Promise<void> | null = null
  #drainAgain = false
  /** Reports by their files, in the order in which they came: those that nobody has taken yet. */
  readonly #unclaimed = new Map<string, { report: AgentReport | null; at: number }>()
  #sampledAt = performance.now()
  #startedAt = 0
  #published = { at: 0, content: '' }

  constructor(host: Host) {
    this.#host = host
    this.#sampleEvery = host.config.timing.lookEvery
  }

  /** Whether a look at the host has succeeded within so many milliseconds. */
  sampledWithin(ms: number): boolean {
    return performance.now() - this.#sampledAt <= ms
  }

  start(): void {
    this.#startedAt = Date.now()
    mkdirSync(this.#host.home.reports, { recursive: true, mode: 0o700 })
    this.#reportsWatcher = watch(this.#host.home.reports, () => this.#drainSoon())
    this.#running = this.#loop()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#reportsWatcher?.close()
    await this.#running
    await this.#draining
  }

  /** A newer watch of the same session takes the older one's place. */
  async add(session: SessionWatch): Promise<void> {
    this.#watches.get(session.name)?.release()
    this.#watches.set(session.name, session)
    this.#drainSoon()
    await this.#updateWatches([session])
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

  /** Whether the session can be given a text under this fence, or a command of its program's. */
  accepts(what: 'text' | 'command', name: string, fence: number): boolean {
    const watch = this.#watches.get(name)
    if (watch?.fence !== fence) return false
    return watch.phase === 'idle' || (what === 'command' && watch.acceptsCommands)
  }

  /** True once the session is idle under this fence; false when that process is no longer the session's. */
  untilIdle(name: string, fence: number, signal: AbortSignal): Promise<boolean> {
    return this.untilAccepts('text', name, fence, signal)
  }

  /** As untilIdle; a command is taken by any session at rest. `beforeLook` is run before each look. */
  async untilAccepts(
    what: 'text' | 'command',
    name: string,
    fence: number,
    signal: AbortSignal,
    beforeLook: () => Promise<void> = () => Promise.resolve(),
  ): Promise<boolean> {
    for (;;) {
      await beforeLook()
      if (this.accepts(what, name, fence)) return true
      const newest = this.#host.records.newest(name)
      if ((newest && newest.fence > fence) || this.#host.records.isStopped(name, fence)) return false
      await delay(200, undefined, { signal })
    }
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      try {
        await this.#tick()
        this.#sampledAt = performance.now()
      } catch (error) {
        console.error(
          `outpool: this look at the host failed, the next comes in ${this.#sampleEvery / 1000} s:`,
          error,
        )
      }
      await delay(this.#sampleEvery, undefined, { signal }).catch(() => undefined)
    }
  }

  async #tick(): Promise<void> {
    this.#drainSoon()
    await this.#updateWatches([...this.#watches.values()], (session, sample) => session.isDue(sample))
    const now = Date.now()
    this.#sendHeartbeats(now)
    this.#publish(now)
  }

  /** Those whose turn it is, the longest silent first, and never so many at once that others would wait for the engine. */
  #sendHeartbeats(now: number): void {
    const atOnce = Math.ceil((2 * this.#watches.size * this.#sampleEvery) / heartbeatEvery)
    const due = [...this.#watches.values()].filter(
      ({ heartbeatAt: beatAt }) => now - beatAt >= heartbeatEvery,
    )
    for (const session of due.sort((a, b) => a.heartbeatAt - b.heartbeatAt).slice(0, atOnce))
      session.sendHeartbeat()
  }

  async #updateWatches(
    sessions: SessionWatch[],
    isDue: (session: SessionWatch, observation: HostObservation) => boolean = () => true,
  ): Promise<void> {
    if (sessions.length === 0) return
    const sample = await this.#observe(sessions)
    const due = sessions.filter((session) => isDue(session, sample))
    await Promise.all(due.map((session) => session.update(sample)))
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
      [...byPlace.values()].map(({ agent, place, pids }) =>
        this.#host.adapter(agent).readLiveStates(this.#host.files(place), { pids }),
      ),
    )
    return { panes, live: new Map(live.flat().map((state) => [state.pid, state])) }
  }

  /** A few panes are asked for by name, many in one go. Null when no tmux server answers. */
  async #panes(sessions: readonly SessionWatch[]): Promise<HostObservation['panes']> {
    const { tmux } = this.#host
    if (sessions.length <= maxPanesByName) {
      const found = await Promise.all(sessions.map(({ name }) => tmux.pane(name)))
      const panes = found.filter((pane) => pane !== null)
      // One that is missing may be missing because they all are.
      if (panes.length === sessions.length) return panesByName(panes)
    }
    const all = await tmux.panes()
    return all && panesByName(all)
  }

  /** One drain at a time; what arrives meanwhile is taken by another one a moment later. */
  #drainSoon(): void {
    if (this.#draining) {
      this.#drainAgain = true
      return
    }
    this.#drainAgain = false
    this.#draining = this.#drain()
      .catch((error: unknown) => console.error('outpool: reports could not be read:', error))
      .finally(() => {
        this.#draining = null
        if (this.#drainAgain && !this.#stopped.signal.aborted) this.#drainSoon()
      })
  }

  async #drain(): Promise<void> {
    const touched = new Set<SessionWatch>()
    this.#readReports()
    for (const [path, { report, at }] of this.#unclaimed) {
      const isApplied = report === null || this.#applyReport(report, touched)
      // Reports of a time when no worker was there are as old as that; their watches only begin now.
      if (!isApplied && Date.now() - Math.max(at, this.#startedAt) <= unclaimedFor) continue
      rmSync(path, { force: true })
      this.#unclaimed.delete(path)
    }
    // A look may wait for a row of the transcript; nobody else's report has to wait with it.
    this.#updateWatches([...touched]).catch((error: unknown) =>
      console.error('outpool: sessions could not be looked at:', error),
    )
    await delay(drainDebounce)
  }

  /** Takes note of the reports that have come since the last time, in their order; each is read once. */
  #readReports(): void {
    const folder = this.#host.home.reports
    const fresh = readdirSync(folder)
      .filter((name) => !name.startsWith('.') && !this.#unclaimed.has(join(folder, name)))
      .flatMap((name) => {
        const path = join(folder, name)
        const stat = statSync(path, { throwIfNoEntry: false })
        return stat === undefined ? [] : [{ name, path, at: stat.mtimeMs }]
      })
      .sort((a, b) => a.at - b.at)
    for (const { name, path, at } of fresh) {
      const [readPath, body] = readReportBody(folder, name, path)
      this.#unclaimed.set(readPath, { at, report: this.#parse(name, body, new Date(at).toISOString()) })
    }
  }

  #parse(name: string, body: string, at: string): AgentReport | null {
    for (const agent of Object.keys(this.#host.config.agents)) {
      const report = this.#host.adapter(agent).parseReport(name, body, at)
      if (report) return report
    }
    return null
  }

  /** False when the report has to wait for its watch. Evidence counts for the launch that produced it, and for no other. */
  #applyReport(report: AgentReport, touched: Set<SessionWatch>): boolean {
    const launch = this.#host.records.launch(report.session, report.fence)
    if (!launch) return false
    if (report.kind === 'quota') {
      this.#host.quota.recordWindows(launch.place.name, report.windows)
      return true
    }
    if (report.kind === 'turn-ended') this.#host.backgroundWork.recordTurnEnd(report)
    if (report.kind === 'turn-started')
      this.#host.backgroundWork.recordTurnStart(report.session, report.fence, report.at)
    const watch = this.#watches.get(report.session)
    if (watch?.fence !== report.fence) {
      const newest = this.#host.records.newest(report.session)
      return (newest?.fence ?? 0) > report.fence || this.#host.records.isStopped(report.session, report.fence)
    }
    watch.applyReport(report)
    touched.add(watch)
    return true
  }

  #publish(now: number): void {
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
    if (content === this.#published.content && now - this.#published.at < publishEvery) return
    this.#published = { at: now, content }
    const live: LiveFile = { at: new Date(now).toISOString(), pid: process.pid, sessions, accounts }
    writeFileAtomic(this.#host.home.liveFile, JSON.stringify(live))
  }
}

/**
 * A report of which only the newest is kept (`.last`) may be replaced while it is being read: it is put aside first, so
 * that what is removed afterwards is what was read.
 */
function readReportBody(folder: string, name: string, path: string): [path: string, body: string] {
  if (!name.endsWith('.last')) return [path, readFileSync(path, 'utf8')]
  const aside = join(folder, `.${name}.taken`)
  renameSync(path, aside)
  return [aside, readFileSync(aside, 'utf8')]
}
