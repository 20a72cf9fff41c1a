/**
 * The floor of a rescue, and of a herd with heavy agents: `tmux respawn-pane -k` with the same command line,
 * settings, environment, terminal and conversation that the product gives the agent program, and nothing else
 * around it.
 */
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { LaunchPlan } from '../agents/adapter/launch.js'
import type { AgentCommand, Place } from '../agents/adapter/place.js'
import { agentNamed } from '../agents/index.js'
import { openHome } from '../config/state/home.js'
import { agentProgram } from '../lab/standin/cleanEnv.js'
import type { Fleet } from '../lab/fleet.js'
import { until } from '../lab/until.js'
import { Arrivals } from './arrivals.js'
import { usageOf } from './usage.js'

const agent = agentNamed('claude-code')

/** Two logins outside the pool; the agents are respawned from one to the other. */
const logins = ['floor-1', 'floor-2']

/** The text that a rescue submits is about as long. */
const goOn = 'Continue the task you were working on; do not repeat work that is already complete.'

const patience = 30 * 60_000

export class BareRespawn {
  readonly #fleet: Fleet
  readonly #command: AgentCommand
  readonly #socket: string
  readonly #places: Place[]
  readonly #panes = new Set<string>()
  #turn = 0

  /** Without `command`: the real program. */
  constructor(fleet: Fleet, command?: { command: string; env: Record<string, string> }) {
    this.#fleet = fleet
    this.#command = {
      command: command?.command ?? agentProgram,
      args: [],
      env: { ...fleet.world.agentEnv, ...command?.env },
    }
    this.#socket = join(fleet.dir, 'floor.sock')
    this.#places = logins.map((name) => {
      const { configDir, env } = fleet.world.login(name)
      return { kind: 'account', name, configDir, env }
    })
  }

  /**
   * Respawns a pane for each of these conversations from its transcript, `atOnce` of them at a time. Returns
   * when each was running, in milliseconds after the first was begun; ascending.
   */
  async respawn(conversations: readonly Conversation[], atOnce: number): Promise<number[]> {
    const place = await this.#nextPlace(conversations)
    const plans = []
    for (const { sessionId } of conversations) plans.push(await this.#plan(place, sessionId, 'resume'))
    const fresh = conversations.filter(({ sessionId }) => !this.#panes.has(sessionId))
    for (const { sessionId } of fresh) this.#openPane(sessionId)
    const arrivals = new Arrivals([place.configDir])
    const from = performance.now()
    const waiting = plans.entries()
    const loop = async (): Promise<void> => {
      for (const [index, plan] of waiting) {
        const { sessionId } = conversations[index]!
        await this.#respawnPane(sessionId, plan)
        await arrivals.of(sessionId)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, loop))
    arrivals.close()
    const durations = [...arrivals.all.values()].map(({ at }) => at - from).sort((a, b) => a - b)
    await this.#untilAtRest(place, conversations.length)
    // In a new pane there was no agent to replace.
    return fresh.length === 0 ? durations : this.respawn(conversations, atOnce)
  }

  /** What the program's own start costs until it reports that it runs; milliseconds of CPU. */
  async startCost(): Promise<number> {
    const place = await this.#nextPlace([])
    const sessionId = crypto.randomUUID()
    const plan = await this.#plan(place, sessionId, 'new')
    this.#openPane(sessionId)
    const arrivals = new Arrivals([place.configDir])
    await this.#respawnPane(sessionId, plan)
    const { pid } = await arrivals.of(sessionId)
    const { cpu } = usageOf(pid)
    arrivals.close()
    await this.#tmux('kill-session', '-t', sessionId)
    this.#panes.delete(sessionId)
    return cpu
  }

  close(): void {
    if (this.#panes.size > 0) execFileSync('tmux', ['-S', this.#socket, 'kill-server'])
  }

  async #nextPlace(conversations: readonly Conversation[]): Promise<Place> {
    this.#turn += 1
    const place = this.#places[this.#turn % this.#places.length]!
    await agent.prepare(place, this.#fleet.world.cwd)
    for (const { transcript } of conversations) {
      const folder = join(place.configDir, 'projects', basename(dirname(transcript)))
      mkdirSync(folder, { recursive: true })
      copyFileSync(transcript, join(folder, basename(transcript)))
    }
    return place
  }

  #plan(place: Place, sessionId: string, mode: 'new' | 'resume'): Promise<LaunchPlan> {
    const { dir, world, env } = this.#fleet
    return agent.planLaunch({
      ...{ place, sessionId, cwd: world.cwd, model: null, mode, prompt: mode === 'new' ? null : goOn },
      ...{ command: this.#command, session: 'floor', fence: this.#turn, baseEnv: env },
      ...{ launchDir: join(dir, 'floor', sessionId), reportDir: join(dir, 'floor', 'reports') },
    })
  }

  #openPane(sessionId: string): void {
    const size = ['-x', '160', '-y', '48']
    const args = ['new-session', '-d', '-s', sessionId, ...size, 'sleep', '1000000']
    execFileSync('tmux', this.#arguments(args), { env: this.#fleet.env })
    this.#panes.add(sessionId)
  }

  #respawnPane(sessionId: string, plan: LaunchPlan): Promise<unknown> {
    return this.#tmux(
      ...['respawn-pane', '-k', '-t', sessionId, '-c', this.#fleet.world.cwd],
      ...Object.entries(plan.env).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
      ...['--', ...plan.argv],
    )
  }

  #tmux(...args: string[]): Promise<unknown> {
    return promisify(execFile)('tmux', this.#arguments(args), { env: this.#fleet.env })
  }

  #arguments(args: string[]): string[] {
    const config = join(openHome(this.#fleet.env).dir, 'tmux.conf')
    return ['-u', '-S', this.#socket, '-f', config, ...args]
  }

  /** Their first turns are done before the next measurement begins. */
  #untilAtRest(place: Place, count: number): Promise<unknown> {
    return until(
      'the respawned agents at rest',
      () => agent.readLiveStates(place),
      (live) => live.filter(({ activity }) => activity === 'idle').length >= count,
      patience,
    )
  }
}

export interface Conversation {
  sessionId: string
  transcript: string
}
