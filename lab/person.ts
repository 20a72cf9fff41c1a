/** A person with agents of their own: tmux servers, shells and bare terminals, in which they start the real agent program by hand. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { claudeCode } from '../agents/claude-code/index.js'
import type { Fleet } from './fleet.js'
import { agentProgram } from './standin/cleanEnv.js'
import { type Login, makeLogin } from './standin/logins.js'
import { until } from './until.js'

/** An agent that the person has started, in a pane of their own. */
export interface PersonAgent {
  sessionId: string
  /** Target of its pane, in the tmux server of this name. */
  server: string
  pane: string
}

export class Person {
  readonly #fleet: Fleet
  readonly #servers = new Set<string>()
  readonly #terminals: ChildProcess[] = []

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  tmux(server: string, ...args: string[]): string {
    return execFileSync('tmux', ['-S', this.socket(server), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#fleet.world.env(null),
    })
  }

  socket(server: string): string {
    return join(this.#fleet.dir, `${server}.sock`)
  }

  /** A login in the folder that the program uses without CLAUDE_CONFIG_DIR. */
  defaultLogin(account: string): Login {
    const { world } = this.#fleet
    const home = world.env(null)['HOME'] ?? ''
    const login = makeLogin(join(home, '.claude'), world.standIn.account(account), { trusted: [world.cwd] })
    copyFileSync(join(login.configDir, '.claude.json'), join(home, '.claude.json'))
    return login
  }

  /** Starts an agent in a shell of a new window, and says something to it. `login`: null for the default config dir. */
  async startAgent(
    server: string,
    login: Login | null,
    prompt: string,
    options: { args?: string[]; env?: string[]; cwd?: string } = {},
  ): Promise<PersonAgent> {
    const sessionId = randomUUID()
    const pane = this.#openPane(server, login, options.cwd ?? this.#fleet.world.cwd)
    const line = [
      ...(options.env ?? []),
      agentProgram,
      '--session-id',
      sessionId,
      ...(options.args ?? []),
    ].join(' ')
    const agent = await this.#run({ sessionId, server, pane }, line)
    await this.say(agent, prompt)
    return agent
  }

  /** Runs a command line that resumes the conversation, in a shell of a new window. */
  resumeAgent(server: string, sessionId: string, line: string): Promise<PersonAgent> {
    const pane = this.#openPane(server, null, this.#fleet.world.cwd)
    return this.#run({ sessionId, server, pane }, line)
  }

  async #run(agent: PersonAgent, line: string): Promise<PersonAgent> {
    this.type(agent, line)
    this.press(agent, 'Enter')
    await this.untilShown(agent, /❯/)
    return agent
  }

  #openPane(server: string, login: Login | null, cwd: string): string {
    mkdirSync(cwd, { recursive: true })
    const env = login === null ? [] : [`CLAUDE_CONFIG_DIR=${login.configDir}`]
    const shell = ['/usr/bin/env', ...env, '/bin/bash', '--norc']
    const where = this.#servers.has(server)
      ? ['new-window', '-d']
      : ['new-session', '-d', '-x', '120', '-y', '40']
    this.#servers.add(server)
    return this.tmux(server, ...where, '-P', '-F', '#{pane_id}', '-c', cwd, ...shell).trim()
  }

  /** Types into the pane without sending it. */
  type({ server, pane }: PersonAgent, text: string): void {
    this.tmux(server, 'send-keys', '-t', pane, '-l', text)
  }

  press({ server, pane }: PersonAgent, ...keys: string[]): void {
    this.tmux(server, 'send-keys', '-t', pane, ...keys)
  }

  async say(agent: PersonAgent, text: string): Promise<void> {
    this.type(agent, text)
    await this.untilShown(agent, new RegExp(text.slice(0, 20)))
    this.press(agent, 'Enter')
  }

  screen({ server, pane }: PersonAgent): string {
    return this.tmux(server, 'capture-pane', '-p', '-t', pane)
  }

  untilShown(agent: PersonAgent, what: RegExp): Promise<string> {
    return until(
      `${String(what)} in the person's pane`,
      () => Promise.resolve(this.screen(agent)),
      (shown) => what.test(shown),
    )
  }

  /** An agent in a terminal that is no pane of tmux. `shown` is everything that was written to it. */
  startBare(login: Login, prompt: string): { sessionId: string; shown: () => string } {
    const sessionId = randomUUID()
    const line = `${agentProgram} --session-id ${sessionId} '${prompt}'; exec /bin/bash --norc`
    const child = spawn('script', ['-qfc', line, '/dev/null'], {
      cwd: this.#fleet.world.cwd,
      env: this.#fleet.world.env(login),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
    this.#terminals.push(child)
    return { sessionId, shown: () => shown }
  }

  /** The live processes that hold the conversation, as the program itself reports them, in any config dir of the fleet. */
  async holders(sessionId: string, configDirs: readonly string[]): Promise<number[]> {
    const found = await Promise.all(
      configDirs.map((configDir) =>
        claudeCode.readLiveStates({ kind: 'account', name: configDir, configDir, env: {} }, { sessionId }),
      ),
    )
    return found.flat().map(({ pid }) => pid)
  }

  close(): void {
    for (const child of this.#terminals) child.kill('SIGKILL')
    for (const server of this.#servers) {
      try {
        this.tmux(server, 'kill-server')
      } catch {
        // It ended with its last pane.
      }
    }
  }
}
