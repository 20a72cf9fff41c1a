/** The answers to the questions of commands, from what the worker knows anyway or can ask of the engine on its open connection. */
import type { Client } from '@temporalio/client'
import type { InjectedSinks } from '@temporalio/worker'
import { configuredNames } from '../../config/configuredNames.js'
import { heardAt } from '../../config/engine/heardHosts.js'
import { readPool } from '../../config/engine/pool.js'
import { readSession } from '../../config/engine/sessions.js'
import type { HeardAt, ListedSession } from '../../config/fleet/session.js'
import type { Question } from '../../config/localSocket/protocol.js'
import type { Host } from '../../host/host.js'
import { namePattern } from '../../policy/ids.js'
import { poolQueries, sessionQueries } from '../../workflows/messages.js'
import type { WorkflowSinks } from '../../workflows/sinks.js'
import { untrustedFolders } from '../untrusted.js'
import { SessionList } from './sessionList.js'

/** Workers give signs of life less often than this. Milliseconds. */
const heardFor = 5_000
/** Names of sessions that stopped within this are completed: a person may resume them. */
const namedFor = 24 * 60 * 60_000
/** A command waits no longer. Milliseconds. */
const answersWithin = 4_000

export class FleetAnswers {
  readonly #host: Host
  readonly #client: Client
  readonly #sessions: SessionList
  /** What the workflows that run here show. */
  readonly sinks: InjectedSinks<WorkflowSinks>
  #isEngineUp = true
  #heard: { at: number; hosts: Promise<HeardAt> } | null = null
  readonly #answering = new Set<Promise<object | null>>()

  constructor(host: Host, client: Client) {
    this.#host = host
    this.#client = client
    this.#sessions = new SessionList({ client }, host.home.hostId)
    this.sinks = {
      sessions: { shown: { fn: ({ runStartTime }, memo) => this.#sessions.note(memo, runStartTime) } },
    }
  }

  /** Without an engine, nothing is known that a command may show: it says itself what is wrong. */
  noteEngine({ isUp }: { isUp: boolean }): void {
    this.#isEngineUp = isUp
  }

  /** Null if the worker can't say now. Rejects if the engine does not answer. */
  async answer(question: Question): Promise<object | null> {
    const answer = this.#client.withDeadline(Date.now() + answersWithin, () => this.#answer(question))
    this.#answering.add(answer)
    return answer.finally(() => this.#answering.delete(answer))
  }

  /** Resolves when no call of the engine is under way: the library can't bear that its connection is closed before. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#answering)
    await this.#sessions.settled()
  }

  async #answer(question: Question): Promise<object | null> {
    if (question.ask === 'names' && question.of !== 'session')
      return { names: configuredNames(this.#host.config, question.of) }
    if (question.ask === 'untrusted')
      return { untrusted: await untrustedFolders(this.#host.home, [{ user: null, cwd: question.folder }]) }
    if (!this.#isEngineUp) return null
    switch (question.ask) {
      case 'sessions': {
        const { closedSince } = question
        const listed = await this.#sessions.sessions(closedSince === 'ever' ? 'ever' : new Date(closedSince))
        return { listed, heard: await this.#heardHosts(listed) }
      }
      case 'session': {
        const found = await readSession({ client: this.#client }, question.name, sessionQueries.describe)
        return { found, heard: found === null ? {} : await this.#heardHosts([found.listed]) }
      }
      case 'pool':
        return { pool: await readPool({ client: this.#client }, question.pool, poolQueries.describe) }
      case 'names': {
        const listed = await this.#sessions.sessions(new Date(Date.now() - namedFor))
        return { names: listed.map(({ card }) => card.name).filter((name) => namePattern.test(name)) }
      }
    }
  }

  /** The engine is asked only if one of them is of another host. */
  async #heardHosts(listed: readonly ListedSession[]): Promise<HeardAt> {
    const own = this.#host.home.hostId
    if (listed.every(({ card, running }) => !running || card.host === own)) return {}
    const now = performance.now()
    if (this.#heard === null || now - this.#heard.at > heardFor) {
      const { connection, options } = this.#client
      const hosts = heardAt(connection, options.namespace, () => Promise.resolve(this.#host.clock.measured))
      hosts.catch(() => (this.#heard = null))
      this.#heard = { at: now, hosts }
    }
    return this.#heard.hosts
  }
}
