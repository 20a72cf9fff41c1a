/** Which other hosts have sessions and no worker that is heard of. Every worker looks, so that one that lives says it. */
import type { Client } from '@temporalio/client'
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { lastSignsOfLife } from '../../config/engine/signsOfLife.js'
import type { Host } from '../../host/host.js'
import { searchAttributes } from '../../policy/ids.js'
import { iso } from '../../policy/instants.js'
import type { SilentHost } from '../../policy/notices/hostReport.js'
import { silenceNeedsPersonAfter } from '../../policy/session/silence.js'

const hostKey = defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD)
const running = `WorkflowType = 'session' AND ExecutionStatus = 'Running'`

export class SilentHosts {
  readonly #client: Client
  readonly #host: Host
  readonly #now: () => number
  /** By the engine's clock: ms since the epoch. */
  #heard: Map<string, number> | null = null
  /** Since when the engine has answered each time: before that no host could be heard. */
  #listeningSince: number | null = null

  /** `now`: by the engine's clock, in ms since the epoch. */
  constructor(client: Client, host: Host, now = () => host.clock.now()) {
    this.#client = client
    this.#host = host
    this.#now = now
  }

  /** Null while nothing is known: the engine does not answer, or not for long enough. */
  async find(): Promise<SilentHost[] | null> {
    try {
      return await this.#find()
    } catch {
      this.#listeningSince = null
      return null
    }
  }

  async #find(): Promise<SilentHost[] | null> {
    const { connection, options } = this.#client
    const now = this.#now()
    const signs = await lastSignsOfLife(connection, options.namespace)
    this.#listeningSince ??= now
    this.#heard ??= await this.#hostsWithSessions(now)
    for (const [host, at] of signs) this.#heard.set(host, at)
    this.#heard.delete(this.#host.home.hostId)
    if (now - this.#listeningSince <= silenceNeedsPersonAfter) return null
    const silent: SilentHost[] = []
    for (const [host, at] of this.#heard) {
      if (now - at <= silenceNeedsPersonAfter) continue
      const sessions = await this.#countSessions(host)
      if (sessions === 0) this.#heard.delete(host)
      else silent.push({ host, since: iso(at), sessions })
    }
    return silent
  }

  /** A host may have fallen silent before this worker began. */
  async #hostsWithSessions(now: number): Promise<Map<string, number>> {
    const own = this.#host.home.hostId
    const others = this.#client.workflow.list({
      query: `${running} AND ${searchAttributes.host} != '${own}'`,
    })
    const hosts = new Map<string, number>()
    for await (const { typedSearchAttributes } of others) {
      const host = typedSearchAttributes.get(hostKey)
      if (host !== undefined) hosts.set(host, now)
    }
    return hosts
  }

  async #countSessions(host: string): Promise<number> {
    const { count } = await this.#client.workflow.count(`${running} AND ${searchAttributes.host} = '${host}'`)
    return count
  }
}
