/** Some sessions of the real program, walled at once: a check on the results with stub agents. */
import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { openHome } from '../config/state/home.js'
import type { SessionDetails } from '../policy/session/session.js'
import { type Fleet, startFleet } from '../lab/fleet.js'
import { until } from '../lab/until.js'
import { Arrivals } from './arrivals.js'
import { BareRespawn } from './bareRespawn.js'
import { firstFile, within } from './running.js'
import { names } from './stubFleet.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)
const patience = 10 * 60_000
/** Between typing a text and its Enter: the program takes keys that arrive together for one paste. */
const typed = 300

/** Two groups, each of which holds the whole fleet. */
const groups = [
  ['a-1', 'a-2'],
  ['b-1', 'b-2'],
] as const

export class RealHerd {
  readonly sessions: number
  readonly #fleet: Fleet
  readonly #bare: BareRespawn
  #run = 0

  constructor(fleet: Fleet, sessions: number) {
    this.sessions = sessions
    this.#fleet = fleet
    this.#bare = new BareRespawn(fleet)
  }

  static async open(sessions: number): Promise<RealHerd> {
    const accounts = groups.flat()
    const maxSessions = Math.ceil(sessions / 2)
    const fleet = await startFleet({
      accounts,
      accountConfig: Object.fromEntries(accounts.map((name) => [name, { maxSessions }])),
      config: { timing: { probeEvery: '1m' } },
    })
    const herd = new RealHerd(fleet, sessions)
    try {
      for (const name of accounts)
        fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
      await fleet.up()
      await herd.#untilReady()
      const { cwd } = fleet.world
      for (const [index, name] of names(sessions).entries())
        await fleet.run('start', name, '--cwd', cwd, '--account', groups[0][index % 2]!, '--', 'Hello.')
      await herd.#atRest(0)
      return herd
    } catch (error) {
      await herd.close()
      throw error
    }
  }

  /** A bare loop that respawns the same conversations; when each ran, in ms. */
  async floor(atOnce: number): Promise<number[]> {
    const all = await this.#atRest(this.#run)
    const conversations = all.map(({ sessionId, transcript }) => ({
      sessionId,
      transcript: transcript ?? '',
    }))
    return this.#bare.respawn(conversations, atOnce)
  }

  /** When each replacement ran, in ms after the first report of a wall. */
  async run(): Promise<number[]> {
    const { standIn } = this.#fleet.world
    const before = await this.#atRest(this.#run)
    const walledAccounts = new Set(before.map(({ account }) => account ?? ''))
    for (const name of walledAccounts) standIn.account(name).wall('five_hour', hours(3))
    const configDirs = groups.flat().map((name) => join(this.#fleet.dir, 'logins', name))
    const arrivals = new Arrivals(configDirs)
    const reported = firstFile([openHome(this.#fleet.env).reports], (name) =>
      /^[^.].*\.StopFailure\./.test(name),
    )
    const text = `Part ${this.#run + 1} of the task.`
    for (const { name } of before) this.#fleet.tmux('send-keys', '-l', '-t', name, text)
    await delay(typed)
    for (const { name } of before) this.#fleet.tmux('send-keys', '-t', name, 'Enter')
    const from = await within('the report of a wall', 60_000, reported)
    await until(
      'all sessions up again',
      () => Promise.resolve(arrivals.sessions),
      (found) => found === this.sessions,
      patience,
    )
    arrivals.close()
    this.#run += 1
    await this.#atRest(this.#run)
    for (const name of walledAccounts) standIn.account(name).lift()
    await this.#untilReady()
    return [...arrivals.all.values()].map(({ at }) => at - from)
  }

  async close(): Promise<void> {
    this.#bare.close()
    await this.#fleet.close()
  }

  /** All sessions once they are at rest, each after this many rescues. */
  async #atRest(rescues: number): Promise<SessionDetails[]> {
    await until(
      'all sessions at rest',
      () => this.#fleet.json<SessionDetails[]>('ls'),
      (all) =>
        all.length === this.sessions && all.every((one) => one.phase === 'idle' && one.rescues === rescues),
      patience,
    )
    return Promise.all(names(this.sessions).map((name) => this.#fleet.show(name)))
  }

  async #untilReady(): Promise<void> {
    await until(
      'all accounts ready',
      () => this.#fleet.json<{ state: string; windows: unknown[] }[]>('accounts'),
      (all) => all.every(({ state, windows }) => state === 'ready' && windows.length > 0),
      patience,
    )
  }
}
