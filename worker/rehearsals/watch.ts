/**
 * Notices when a version of an agent program is launched that was never rehearsed on this host, and does about it what
 * `agents.<name>.rehearse` says. A rehearsal runs in the background, at low priority, and never beside another one of this user.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PollingLoop } from '../../activities/pollingLoop.js'
import type { AgentConfig } from '../../config/config.js'
import { cacheFolder } from '../../config/state/home.js'
import { readVerdict, shortfalls, type Verdict } from '../../config/state/rehearsals.js'
import type { Host } from '../../host/host.js'
import { log } from '../../host/log.js'
import { featuresOff } from '../../policy/features.js'
import { rehearsalStep } from '../../policy/rehearsal.js'
import { tryExclusive } from '../engine/lock.js'
import { runRehearsal } from './run.js'

const pollEvery = 1_000

export class RehearsalWatch {
  readonly #host: Host
  readonly #loop: PollingLoop
  /** Versions that are to be rehearsed, by agent. */
  readonly #due = new Map<string, string>()
  /** Whose rehearsal has ended without a verdict: this worker tries them once. */
  readonly #failed = new Set<string>()

  constructor(host: Host) {
    this.#host = host
    this.#loop = new PollingLoop({
      run: (signal) => this.#poll(signal),
      pauseAfter: () => pollEvery,
      failureText: 'the versions of agent programs could not be checked',
    })
  }

  start(): void {
    this.#loop.start()
  }

  /** Ends a rehearsal that is under way, and waits until it has removed what it made. */
  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { launchedAgents, config } = this.#host
    for (const agent of [...launchedAgents]) {
      launchedAgents.delete(agent)
      const agentConfig = config.agents[agent]
      if (agentConfig !== undefined) await this.#review(agent, agentConfig)
    }
    for (const [agent, version] of [...this.#due]) {
      const command = config.agents[agent]?.command
      if (signal.aborted) return
      if (command === undefined || (await this.#rehearse(agent, version, command, signal)))
        this.#due.delete(agent)
    }
  }

  async #review(agent: string, agentConfig: AgentConfig): Promise<void> {
    if (agentConfig.rehearse === 'off') return
    const { home } = this.#host
    const version = await this.#host.installedVersion(agent)
    if (version === null) return
    const step = rehearsalStep(agentConfig.rehearse, {
      isRehearsed: readVerdict(home, agent, version) !== null,
      hasFailed: this.#failed.has(`${agent} ${version}`),
    })
    if (step === 'rehearse') this.#due.set(agent, version)
    if (step === 'ask') this.#recordUnrehearsed(agent, version)
  }

  /** False if another one is under way, so that it is to be tried again. */
  async #rehearse(agent: string, version: string, command: string, signal: AbortSignal): Promise<boolean> {
    const { home } = this.#host
    const cache = cacheFolder()
    mkdirSync(cache, { recursive: true })
    const release = await tryExclusive(join(cache, 'rehearsal'))
    if (release === null) return false
    try {
      // The other one may have been of the same version, in this home.
      if (readVerdict(home, agent, version) !== null) return true
      log.info(`${agent} ${version} was never rehearsed here: rehearsing it in the background`)
      const startedAt = performance.now()
      const said = await runRehearsal(command, signal)
      if (signal.aborted) return true
      const verdict = readVerdict(home, agent, version)
      await this.#host.features.review(agent)
      if (verdict === null) {
        this.#failed.add(`${agent} ${version}`)
        log.warn(`${agent} ${version} could not be rehearsed: ${said}`)
        this.#recordUnrehearsed(agent, version)
      } else this.#recordVerdict(verdict, performance.now() - startedAt)
      return true
    } finally {
      await release()
    }
  }

  #recordUnrehearsed(agent: string, version: string): void {
    this.#host.events.record({
      ...{ id: `agent-unrehearsed/${agent}/${version}`, at: new Date().toISOString() },
      ...{ kind: 'agent-unrehearsed', agent, version },
    })
  }

  #recordVerdict(verdict: Verdict, ms: number): void {
    const { agent, version, at, results } = verdict
    const missed = shortfalls(verdict)
    const worst = missed.find(({ isEssential }) => isEssential) ?? missed[0]
    this.#host.events.record({
      ...{ id: `agent-rehearsed/${agent}/${version}/${at}`, at, kind: 'agent-rehearsed', agent, version, ms },
      expectations: results.length,
      missed: missed.map(({ name, isEssential }) => ({ name, isEssential })),
      off: featuresOff(results).map(({ feature }) => feature),
      consequence: worst?.consequence ?? null,
    })
  }
}
