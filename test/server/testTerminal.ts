/** A person's terminal, in a tmux of their own: what is typed into it, and what it shows. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { until } from '../../lab/until.js'

export class TestTerminal {
  readonly #socket: string
  readonly #env: NodeJS.ProcessEnv

  /** Opens a shell in the folder, with these variables. The socket of its tmux is in `dir`. */
  constructor(dir: string, cwd: string, variables: NodeJS.ProcessEnv) {
    this.#socket = join(dir, 'own.sock')
    this.#env = { ...process.env, ...variables }
    const env = Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : ['-e', `${name}=${value}`],
    )
    this.tmux('new-session', '-d', '-s', 'person', '-x', '110', '-y', '50', '-c', cwd, ...env, '/bin/sh')
  }

  tmux(...args: string[]): string {
    return execFileSync('tmux', ['-u', '-S', this.#socket, '-f', '/dev/null', ...args], {
      ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: this.#env },
    })
  }

  /** Everything that it has shown since it was last cleared, with wrapped lines joined. */
  shown(): string {
    return this.tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'person')
  }

  /** What it shows now. */
  screen(): string {
    return this.tmux('capture-pane', '-p', '-t', 'person')
  }

  untilShown(text: string): Promise<string> {
    return until(
      text,
      () => Promise.resolve(this.shown()),
      (screen) => screen.includes(text),
    )
  }

  press(...keys: string[]): void {
    this.tmux('send-keys', '-t', 'person', ...keys)
  }

  /** Clears the screen, and runs the command line; `left with N` follows its end. */
  run(line: string): void {
    this.tmux('clear-history', '-t', 'person')
    this.tmux('send-keys', '-t', 'person', '-l', `clear; ${line}; echo left with $?`)
    this.press('Enter')
  }

  close(): void {
    this.tmux('kill-server')
  }
}
