/**
 * Samples the host for all watches of a worker. However many sessions there are, a tick costs one tmux call and one read of
 * each place's live states; a report wakes only the session that it is about.
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
import { PollingLoop } from '../pollingLoop.js'
import type { HostObservation, SessionWatch } from './sessionWatch.js'

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
/** A report for a session that has no watch yet is kept this long. */
const unclaimedFor = 60_000
/** A herd leaves hundreds of reports: those that arrive within so many milliseconds are read together. */
const drainDebounce = 20

/** In a fleet of hundreds, listing all panes costs as much as asking for this many by name; in a small one it is cheap. */
const maxPanesByName = 10

const panesByName = (panes: readonly Pane[]): Map<string, Pane> =>
  new Map(panes.map((pane) => [pane.session, pane]))

export class Sampler {
  readonly #host: Host
  readonly #sampleEvery: number
  readonly #watches = new Map<string, SessionWatch>()
  #reportsWatcher: FSWatcher | null = null
  readonly #loop: PollingLoop
  #draining: Promise<void> | null = null
  #drainAgain = false
  /** Reports by their files, in the order in which they came: those that no watch has taken yet. */
  readonly #unclaimed = new Map<string, { report: AgentReport | null; at: number }>()
  #sampledAt = performance.now()
  #startedAt = 0
  #published = { at: 0, content: '' }

  constructor(host: Host) {
    this.#host = host
    this.#sampleEvery = host.config.timing.pollEvery
    this.#loop = new PollingLoop({
      run: () => this.#tick(),
      pauseAfter: () => this.#sampleEvery,
      failureText: `this host could not be sampled; the next attempt comes in ${this.#sampleEvery / 1000} s`,
    })
  }

  /** Whether the last successful tick is at most so many milliseconds old. */
  sampledWithin(ms: number): boolean {
    return performance.now() - this.#sampledAt <= ms
  }

  start(): void {
    this.#startedAt = Date.now()
    mkdirSync(this.#host.home.reports, { recursive: true, mode: 0o700 })
    this.#reportsWatcher = watch(this.#host.home.reports, () => this.#drainSoon())
    this.#loop.start()
  }

  async stop(): Promise<void> {
    const stopping = this.#loop.stop()
    this.#reportsWatcher?.close()
    await stopping
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
    this.#drainSoon()
    await this.#updateWatches([...this.#watches.values()], (session, observation) =>
      session.isDue(observation),
    )
    const now = Date.now()
    this.#sendHeartbeats(now)
    this.#publish(now)
    this.#sampledAt = performance.now()
  }

  /** The longest silent first, and so few per tick that other calls of the engine don't have to wait. */
  #sendHeartbeats(now: number): void {
    const atOnce = Math.ceil((2 * this.#watches.size * this.#sampleEvery) / heartbeatEvery)
    const due = [...this.#watches.values()].filter(({ heartbeatAt }) => now - heartbeatAt >= heartbeatEvery)
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
    await Promise.all(due.map((session) => session.update(observation)))
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

  /** One drain at a time; reports that arrive during it are read by another one right after. */
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
        if (this.#drainAgain && !this.#loop.isStopped) this.#drainSoon()
      })
  }

  async #drain(): Promise<void> {
    const touched = new Set<SessionWatch>()
    this.#readReports()
    for (const [path, { report, at }] of this.#unclaimed) {
      const isApplied = report === null || this.#applyReport(report, touched)
      // Reports from a time without a worker are old by now, but their watches are only starting.
      if (!isApplied && Date.now() - Math.max(at, this.#startedAt) <= unclaimedFor) continue
      rmSync(path, { force: true })
      this.#unclaimed.delete(path)
    }
    // An update may wait for a transcript entry; the reports of other sessions must not wait with it.
    this.#updateWatches([...touched]).catch((error: unknown) =>
      console.error('outpool: the sessions of these reports could not be updated:', error),
    )
    await delay(drainDebounce)
  }

  /** Adds the reports that have arrived since the last time, oldest first; each file is read once. */
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

  /** False if the report has to wait for its watch. Evidence counts only for the launch that produced it. */
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
 * A report of which only the newest is kept (`.last`) may be replaced while it is being read. It is renamed first, so that
 * the file that is removed afterwards is the one that was read.
 */
function readReportBody(folder: string, name: string, path: string): [path: string, body: string] {
  if (!name.endsWith('.last')) return [path, readFileSync(path, 'utf8')]
  const aside = join(folder, `.${name}.taken`)
  renameSync(path, aside)
  return [aside, readFileSync(aside, 'utf8')]
}
