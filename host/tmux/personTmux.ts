/** The tmux servers of the person: which panes they have, what a pane shows, and what is typed into it. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { asProcessArguments, nextCommand, type TmuxAnswer, type TmuxArgument } from './connection.js'
import { bareEnvironment } from './server.js'
import { escapeFormat, separator } from './panes.js'
import { TmuxFailedError } from '../errors.js'

export interface PersonPane {
  socket: string
  id: string
  tty: string
  /** The first process of the pane. */
  pid: number
  session: string
  window: number
  index: number
  columns: number
  /** Whether its process has ended, and the pane was kept. */
  dead: boolean
}

const paneFormat = [
  ...['#{pane_id}', '#{pane_tty}', '#{pane_pid}', '#{window_index}', '#{pane_index}', '#{pane_width}'],
  '#{pane_dead}',
  // Last, since a name may hold any character.
  '#{session_name}',
].join(separator)

/** A server that hangs must not delay what concerns the others. */
const answerWithin = 5_000

/** The sockets in tmux's own folder, and those named by the environments of processes. */
export function personSockets(environments: readonly Readonly<Record<string, string>>[]): string[] {
  const folder = join(process.env['TMUX_TMPDIR'] || '/tmp', `tmux-${process.getuid?.() ?? 0}`)
  const named = environments.flatMap(({ TMUX }) => TMUX?.split(',')[0] ?? [])
  return [...new Set([...socketsIn(folder), ...named.filter(isSocket)])]
}

function socketsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .map((name) => join(folder, name))
      .filter(isSocket)
  } catch {
    return []
  }
}

const isSocket = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isSocket() === true

/** The panes of every server that answers. */
export async function personPanes(sockets: readonly string[]): Promise<PersonPane[]> {
  const listed = await Promise.all(sockets.map((socket) => new PersonTmux(socket).panes()))
  return listed.flat()
}

/**
 * The pane that shows this terminal; null if none does. A pane that was kept after the end of its process still has the path of its
 * terminal, which the system gives to the next one.
 */
export const paneOnTerminal = (panes: readonly PersonPane[], tty: string | null): PersonPane | null =>
  panes.find((pane) => pane.tty === tty && !pane.dead) ?? null

export class PersonTmux {
  readonly socket: string

  constructor(socket: string) {
    this.socket = socket
  }

  /** Empty if no server answers. */
  async panes(): Promise<PersonPane[]> {
    const { exitCode, stdout } = await this.#run(['list-panes', '-a', '-F', paneFormat])
    if (exitCode !== 0) return []
    return stdout.split('\n').flatMap((line) => {
      const [id = '', tty = '', pid, window, index, columns, dead, ...session] = line.split(separator)
      if (!/^%\d+$/.test(id)) return []
      return [
        {
          ...{ socket: this.socket, id, tty, pid: Number(pid), window: Number(window), index: Number(index) },
          ...{ columns: Number(columns), session: session.join(separator), dead: dead === '1' },
        },
      ]
    })
  }

  async pane(id: string): Promise<PersonPane | null> {
    return (await this.panes()).find((pane) => pane.id === id) ?? null
  }

  /** The visible screen with its colours; null if it can't be read. */
  async colouredScreen(pane: string): Promise<string | null> {
    const { exitCode, stdout } = await this.#run(['capture-pane', '-p', '-e', '-t', pane])
    return exitCode === 0 ? stdout : null
  }

  async press(pane: string, keys: readonly string[]): Promise<void> {
    await this.#leaveMode(pane)
    await this.#runOrThrow('send-keys', ['send-keys', '-t', pane, ...keys])
  }

  /** Types a command line at the prompt of a shell, and sends it. What was typed there before is deleted. */
  async typeCommand(pane: string, line: string): Promise<void> {
    await this.#leaveMode(pane)
    await this.#runOrThrow('send-keys', [
      ...['send-keys', '-t', pane, 'C-e', 'C-u', nextCommand],
      ...['send-keys', '-t', pane, '-l', line, nextCommand],
      ...['send-keys', '-t', pane, 'Enter'],
    ])
  }

  /** Puts a text into the program's input line as one paste; the text itself is in no argument list. */
  async paste(pane: string, text: string): Promise<void> {
    const buffer = `outpool-${pane.slice(1)}`
    const { exitCode, stderr } = await this.#run(['load-buffer', '-b', buffer, '-'], text)
    if (exitCode !== 0) throw new TmuxFailedError('load-buffer', stderr)
    await this.#runOrThrow('paste-buffer', ['paste-buffer', '-p', '-r', '-d', '-b', buffer, '-t', pane])
  }

  /** Keeps the pane when its process ends, or lets it close again. */
  async keepOpen(pane: string, keeps: boolean): Promise<void> {
    const option = ['set-option', '-p', ...(keeps ? [] : ['-u']), '-t', pane, 'remain-on-exit']
    await this.#run(keeps ? [...option, 'on'] : option)
  }

  /** Runs a command in the pane in place of its process. */
  async respawn(pane: string, cwd: string, argv: readonly string[]): Promise<void> {
    const to = ['respawn-pane', '-k', '-t', pane, '-c', escapeFormat(cwd)]
    await this.#runOrThrow('respawn-pane', [...to, '--', ...argv])
  }

  /** A pane in which the person scrolled back would take the keys itself. */
  async #leaveMode(pane: string): Promise<void> {
    await this.#run(['if-shell', '-F', '-t', pane, '#{pane_in_mode}', `send-keys -X -t ${pane} cancel`])
  }

  async #runOrThrow(what: string, args: readonly TmuxArgument[]): Promise<void> {
    const { exitCode, stderr } = await this.#run(args)
    if (exitCode !== 0) throw new TmuxFailedError(what, stderr)
  }

  async #run(args: readonly TmuxArgument[], input = ''): Promise<TmuxAnswer> {
    const whole = ['-u', '-N', '-S', this.socket, ...asProcessArguments(args)]
    const { exitCode, stdout, stderr } = await execa('tmux', whole, {
      ...{ env: bareEnvironment(), extendEnv: false, reject: false, input, timeout: answerWithin },
    })
    return { exitCode: exitCode ?? 1, stdout, stderr: stderr.trim() || 'no answer' }
  }
}
