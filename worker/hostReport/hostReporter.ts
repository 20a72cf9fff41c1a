/**
 * Tells the pool, which notifies a person, what of this host needs one, which other hosts are silent, and when the pool will run dry.
 * It reads the recorded events, so that nothing is missed or said twice however often the worker dies.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { EventReader } from '../../config/events/files.js'
import { needWords, OpenNeeds } from '../../config/events/openNeeds.js'
import { readUsage } from '../../config/state/usageFile.js'
import type { Host } from '../../host/host.js'
import { moveThreshold } from '../../policy/account/windows.js'
import { poolForecast } from '../../policy/forecast/poolForecast.js'
import { emptyUsageRecord } from '../../policy/forecast/usageRecord.js'
import { poolWorkflowId } from '../../policy/ids.js'
import { describeDuration, iso } from '../../policy/instants.js'
import type { ForeseenDrySpell, HostReport } from '../../policy/notices/hostReport.js'
import type { Announcement } from '../../policy/notices/notice.js'
import { poolSignals } from '../../workflows/messages.js'
import { workflowState } from '../workflowState.js'
import { rehearsalNotice, rehearsedWord } from './rehearsalNotice.js'
import { isTransient } from '../engine/retryTransient.js'
import { log } from '../../host/log.js'
import { SilentHosts } from './silentHosts.js'

/** Between two reports, if something was recorded meanwhile. Milliseconds. */
const reportEvery = 5_000
/** Between two checks for silent hosts. */
const checkHostsEvery = 15_000
/** Between two checks whether the sessions that need a person still exist. */
const forgetEvery = 60_000
/** A forecast takes a few ms for each account, and changes slowly. */
const forecastEvery = 10 * 60_000
/** The longest time in which a dead worker needs no notice: it was back before anything needed it. */
const shortOutage = 60_000
/** A busy engine takes seconds. */
const answersWithin = 5_000
/** Sessions beyond these are told with a later report. */
const maxSessions = 200

export class HostReporter {
  readonly #client: Client
  readonly #host: Host
  readonly #events: EventReader
  readonly #rehearsed: EventReader
  readonly #needs = new OpenNeeds()
  readonly #silent: SilentHosts
  readonly #stopped = new AbortController()
  /** Of the worker before this one, until the pool knows of it. */
  #diedAt: string | null = null
  /** Until the pool knows of them, which sends each once. */
  #announcements: Announcement[] = []
  #sent = ''
  #silentHosts: HostReport['silentHosts'] = null
  #drySpell: ForeseenDrySpell | null = null
  #running: Promise<void> = Promise.resolve()

  constructor(client: Client, host: Host) {
    this.#client = client
    this.#host = host
    this.#events = new EventReader(host.home, { anyOf: needWords })
    this.#rehearsed = new EventReader(host.home, { words: [rehearsedWord] })
    this.#silent = new SilentHosts(client, host)
  }

  /** `diedAt`: when the worker before this one was last seen, if it did not stop in order. */
  start(diedAt: string | null): void {
    this.#diedAt = diedAt
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    for (const event of this.#events.next()) this.#needs.note(event)
    await this.#bounded(() => this.#forgetEnded())
    await Promise.all([
      this.#every(checkHostsEvery, async () => {
        this.#silentHosts = (await this.#silent.find()) ?? this.#silentHosts
      }),
      this.#every(forecastEvery, () => {
        this.#foresee(Date.now())
        return Promise.resolve()
      }),
      this.#every(forgetEvery, () => this.#forgetEnded()),
      this.#every(reportEvery, () => this.#report()),
    ])
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #every(interval: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopped
    const isOver = (): boolean => signal.aborted
    while (!isOver()) {
      await this.#bounded(work)
      await delay(interval, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** An engine that does not answer gets the report as soon as it does, and keeps no worker from stopping. */
  async #bounded(work: () => Promise<void>): Promise<void> {
    await this.#client.withDeadline(Date.now() + answersWithin, work).catch((error: unknown) => {
      // The watch of the connection tells of an engine that does not answer.
      if (!isTransient(error)) log.warn({ err: error }, 'the report of this host failed, and is tried again')
    })
  }

  async #report(): Promise<void> {
    if (this.#diedAt !== null) await this.#announceDeath(this.#diedAt)
    this.#diedAt = null
    await this.#announceRehearsals()
    for (const event of this.#events.next()) this.#needs.note(event)
    const report: HostReport = {
      host: this.#host.home.hostId,
      sessions: this.#needs.sessions.slice(0, maxSessions),
      loggedOut: this.#needs.loggedOut
        .map(({ account }) => account)
        .filter((name) => this.#isConfigured(name)),
      silentHosts: this.#silentHosts,
      drySpell: this.#drySpell,
    }
    const text = JSON.stringify(report)
    if (text === this.#sent) return
    await this.#pool().signal(poolSignals.reportHost, report)
    this.#sent = text
  }

  /** A session that was ended in the engine leaves no event. */
  async #forgetEnded(): Promise<void> {
    for (const { session } of this.#needs.sessions)
      if ((await workflowState(this.#client, session)) === 'over') this.#needs.forget(session)
  }

  #isConfigured(account: string): boolean {
    const { pool, reserved } = this.#host.config
    return [...pool.accounts, ...reserved].some(({ name }) => name === account)
  }

  /** A spell that was reported stays as it is until it is over: each change would be a message. */
  #foresee(now: number): void {
    const { home, config, quota, clock } = this.#host
    const accounts = config.pool.accounts.map(({ name, ceiling }) => ({
      record: readUsage(home, name) ?? emptyUsageRecord(name),
      windows: quota.read(name).windows,
      limit: moveThreshold(config.pool.moveAt, ceiling),
    }))
    const dry = poolForecast(accounts, { accounts: 0, load: 1 }, now)?.dry ?? null
    const isNear = dry !== null && dry.from - now <= config.notices.dryAhead
    const toEngine = (at: number): string => clock.toEngine(iso(at))
    this.#drySpell = isNear
      ? (this.#drySpell ?? {
          dryAt: toEngine(dry.from),
          resetAt: dry.until === null ? null : toEngine(dry.until),
        })
      : null
  }

  /** A worker that is gone can't say so; the one after it does. */
  async #announceDeath(diedAt: string): Promise<void> {
    const { hostId } = this.#host.home
    const downMs = Date.now() - Date.parse(diedAt)
    if (downMs <= shortOutage) return
    const text = `It was last seen at ${diedAt.slice(0, 16).replace('T', ' ')} UTC, and did not stop in order. For ${describeDuration(downMs)} nothing watched the sessions of ${hostId}; they are watched again.`
    await this.#pool().signal(poolSignals.announce, {
      ...{ key: `worker-died/${hostId}/${diedAt}`, kind: 'worker-died' },
      ...{ title: `the worker of ${hostId} had died`, text },
    })
  }

  async #announceRehearsals(): Promise<void> {
    const { hostId } = this.#host.home
    for (const event of this.#rehearsed.next()) {
      const notice = rehearsalNotice(event, hostId)
      if (notice !== null) this.#announcements.push(notice)
    }
    for (const notice of [...this.#announcements]) {
      await this.#pool().signal(poolSignals.announce, notice)
      this.#announcements.shift()
    }
  }

  #pool() {
    return this.#client.workflow.getHandle(poolWorkflowId(this.#host.config.pool.name))
  }
}
