/**
 * The floor of a rescue: one `tmux respawn-pane -k`, with the very command line, settings, environment, terminal and
 * conversation that the product gives the agent program, and nothing else around it.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { LaunchPlan, Place } from '../agents/agent.js'
import { agentNamed } from '../agents/index.js'
import { openHome } from '../config/home.js'
import { agentProgram } from '../test/standin/cleanEnv.js'
import type { Fleet } from '../test/support/fleet.js'
import { until } from '../test/support/until.js'
import { firstRunning, within } from './running.js'

const agent = agentNamed('claude-code')

/** Two logins outside the pool, of which the one is left and the other gone to. */
const logins = ['floor-1', 'floor-2']

/** The text that a rescue submits is about as long. */
const goOn = 'Continue the task you were working on; do not repeat work that is already complete.'

export class BareRespawn {
  readonly #fleet: Fleet
  readonly #socket: string
  readonly #places: Place[]
  #turn = 0

  constructor(fleet: Fleet) {
    this.#fleet = fleet
    this.#socket = join(fleet.dir, 'floor.sock')
    this.#places = logins.map((name) => {
      const { configDir, env } = fleet.world.login(name)
      return { kind: 'account', name, configDir, env }
    })
  }

  /** Respawns the pane once, with the conversation as it stands in `transcript`; answers the milliseconds to running. */
  async respawn(sessionId: string, transcript: string): Promise<number> {
    const isFirst = this.#turn === 0
    this.#turn += 1
    const place = this.#places[this.#turn % this.#places.length]!
    await agent.prepare(place, this.#fleet.world.cwd)
    const folder = join(place.configDir, 'projects', basename(dirname(transcript)))
    mkdirSync(folder, { recursive: true })
    copyFileSync(transcript, join(folder, basename(transcript)))
    const plan = await this.#plan(place, sessionId)
    if (isFirst) this.#openPane(plan)
    const running = firstRunning([place.configDir], sessionId)
    const from = performance.now()
    this.#tmux(plan, [
      ...['respawn-pane', '-k', '-t', 'floor', '-c', this.#fleet.world.cwd],
      ...Object.entries(plan.env).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
      ...['--', ...plan.argv],
    ])
    const to = await within('the respawned agent', 60_000, running)
    // Its first turn is done before the next measurement begins.
    await until(
      'the respawned agent at rest',
      () => agent.liveStates(place),
      (live) => live.some((one) => one.sessionId === sessionId && one.activity === 'idle'),
    )
    // The first one found no agent in the pane to replace.
    return isFirst ? this.respawn(sessionId, transcript) : to - from
  }

  close(): void {
    if (this.#turn > 0) execFileSync('tmux', ['-S', this.#socket, 'kill-server'])
  }

  #plan(place: Place, sessionId: string): Promise<LaunchPlan> {
    const { dir, world, env } = this.#fleet
    return agent.plan({
      ...{ place, sessionId, cwd: world.cwd, model: null, mode: 'resume', prompt: goOn, baseEnv: env },
      ...{ command: { command: agentProgram, args: [], env: world.agentEnv }, session: 'floor' },
      ...{ fence: this.#turn, launchDir: join(dir, 'floor'), reportDir: join(dir, 'floor', 'reports') },
    })
  }

  #openPane(plan: LaunchPlan): void {
    const size = ['-x', '160', '-y', '48']
    this.#tmux(plan, ['new-session', '-d', '-s', 'floor', ...size, 'sleep', '1000000'])
  }

  #tmux({ env }: LaunchPlan, args: string[]): void {
    const config = join(openHome(this.#fleet.env).dir, 'tmux.conf')
    execFileSync('tmux', ['-u', '-S', this.#socket, '-f', config, ...args], { env })
  }
}
