/**
 * The reports that hooks and status lines of agents write as files (docs/decisions/0005-reports-as-files.md). Each file is read once,
 * and kept until the watch of its session has taken the report.
 */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, watch, type FSWatcher } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentReport } from '../../agents/adapter/liveness.js'
import { OddFileError } from '../../config/errors.js'
import { readOwnFile } from '../../config/state/ownFile.js'
import type { Host } from '../../host/host.js'
import { log } from '../../host/log.js'
import type { SessionWatch } from './sessionWatch.js'
import { isMissing } from '../../policy/errorFacts.js'

/** A report for a session that has no watch yet is kept this long. */
const unclaimedFor = 60_000
/** A herd leaves hundreds of reports: those that arrive within so many milliseconds are read together. */
const drainDebounce = 20
/** The longest report lists background tasks with their prompts. Bytes. */
const reportMaxBytes = 4 * 1024 * 1024

interface Receivers {
  /** The watch of a session, if there is one. */
  watchOf(session: string): SessionWatch | undefined
  /** Called with the watches that have taken reports. */
  update(sessions: SessionWatch[]): Promise<void>
}

/** The system limits how much a user may watch, and each agent takes a share of that. Every tick of the sampler reads reports too. */
const noteUnwatched = (error: unknown): void =>
  log.warn({ err: error }, 'the folder of reports cannot be watched: they are read a little later')

export class ReportInbox {
  readonly #host: Host
  readonly #receivers: Receivers
  #watcher: FSWatcher | null = null
  #draining: Promise<void> | null = null
  #drainAgain = false
  #isStopped = false
  #startedAt = 0
  /** Reports by their files, in the order in which they came: those that no watch has taken yet. */
  readonly #unclaimed = new Map<string, { report: AgentReport | null; at: number }>()

  constructor(host: Host, receivers: Receivers) {
    this.#host = host
    this.#receivers = receivers
  }

  start(): void {
    this.#startedAt = Date.now()
    mkdirSync(this.#host.home.reports, { recursive: true, mode: 0o700 })
    try {
      this.#watcher = watch(this.#host.home.reports, () => this.drainSoon())
      this.#watcher.on('error', noteUnwatched)
    } catch (error) {
      noteUnwatched(error)
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#watcher?.close()
    await this.#draining
  }

  /** One drain at a time; reports that arrive during it are read by another one right after. */
  drainSoon(): void {
    if (this.#draining) {
      this.#drainAgain = true
      return
    }
    this.#drainAgain = false
    this.#draining = this.#drain()
      .catch((error: unknown) => log.error({ err: error }, 'reports could not be read'))
      .finally(() => {
        this.#draining = null
        if (this.#drainAgain && !this.#isStopped) this.drainSoon()
      })
  }

  async #drain(): Promise<void> {
    const touched = new Set<SessionWatch>()
    this.#readFiles()
    for (const [path, { report, at }] of this.#unclaimed) {
      const isApplied = report === null || this.#tryApply(report, touched)
      // Reports from a time without a worker are old by now, but their watches are only starting.
      if (!isApplied && Date.now() - Math.max(at, this.#startedAt) <= unclaimedFor) continue
      rmSync(path, { force: true })
      this.#unclaimed.delete(path)
    }
    // An update may wait for a transcript entry; the reports of other sessions must not wait with it.
    this.#receivers
      .update([...touched])
      .catch((error: unknown) =>
        log.error({ err: error }, 'the sessions of these reports could not be updated'),
      )
    await delay(drainDebounce)
  }

  /** Adds the reports that have arrived since the last time, oldest first. */
  #readFiles(): void {
    const folder = this.#host.home.reports
    const fresh = readdirSync(folder)
      .filter((name) => !name.startsWith('.') && !this.#unclaimed.has(join(folder, name)))
      .flatMap((name) => {
        const path = join(folder, name)
        const stat = lstatSync(path, { throwIfNoEntry: false })
        const isIgnored = stat === undefined || this.#host.oddFiles.isStuck(path)
        return isIgnored ? [] : [{ name, path, at: stat.mtimeMs }]
      })
      .sort((a, b) => a.at - b.at)
    for (const { name, path, at } of fresh) this.#readFile(name, path, at)
  }

  /** A file that cannot be a report is set aside, so that it does not stop the others. */
  #readFile(name: string, path: string, at: number): void {
    const readPath = pathToRead(path, name)
    try {
      if (readPath !== path) renameSync(path, readPath)
      const body = readOwnFile(readPath, reportMaxBytes)
      this.#unclaimed.set(readPath, { at, report: this.#parse(name, body, new Date(at).toISOString()) })
    } catch (error) {
      if (isMissing(error)) return
      const why = error instanceof OddFileError ? `it is ${error.oddity}` : String(error)
      this.#host.oddFiles.setAside(existsAt(readPath) ? readPath : path, why)
    }
  }

  #parse(name: string, body: string, at: string): AgentReport | null {
    for (const agent of Object.keys(this.#host.config.agents)) {
      const report = this.#host.adapter(agent).parseReport(name, body, at)
      if (report) return report
    }
    return null
  }

  /** A report that can't be applied, because of a full disk or what it is about, must not stop the others. */
  #tryApply(report: AgentReport, touched: Set<SessionWatch>): boolean {
    try {
      return this.#apply(report, touched)
    } catch (error) {
      log.error({ err: error }, `a report of session ${report.session} could not be applied`)
      return false
    }
  }

  /** False if the report has to wait for its watch. Evidence counts only for the launch that produced it. */
  #apply(report: AgentReport, touched: Set<SessionWatch>): boolean {
    const { records, quota, backgroundWork, features } = this.#host
    const { session, fence } = report
    const launch = records.launch(session, fence)
    if (!launch) return false
    if (report.kind === 'quota') {
      if (!features.isOff(launch.agent, 'status-line')) quota.recordWindows(launch.place.name, report.windows)
      return true
    }
    if (report.kind === 'turn-ended') backgroundWork.recordTurnEnd(report)
    if (report.kind === 'turn-started') backgroundWork.recordTurnStart(session, fence, report.at)
    const watch = this.#receivers.watchOf(session)
    if (watch?.fence !== fence)
      return (records.newest(session)?.fence ?? 0) > fence || records.isStopped(session, fence)
    watch.applyReport(report)
    touched.add(watch)
    return true
  }
}

/**
 * A report of which only the newest is kept (`.last`) may be replaced while it is being read. It is renamed first, so that
 * the file that is removed afterwards is the one that was read.
 */
const pathToRead = (path: string, name: string): string =>
  name.endsWith('.last') ? join(dirname(path), `.${name}.taken`) : path

const existsAt = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined
