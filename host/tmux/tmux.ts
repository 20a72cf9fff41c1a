/** Outpool's own tmux server on this host: one tmux session and one pane per session. */
import { setTimeout as delay } from 'node:timers/promises'
import { TmuxCommands } from './commands.js'
import { nextCommand, type TmuxArgument } from './connection.js'
import {
  escapeFormat,
  noAgentFence,
  isExitUnknown,
  type Pane,
  paneFormat,
  parsePane,
  separator,
} from './panes.js'
import type { Manager } from './server.js'
import { TmuxFailedError } from '../errors.js'
import { elapsed } from '../../policy/instants.js'

/** Size of a pane to which no terminal is attached: wide enough that dialogs are not wrapped. */
const detachedSize = ['-x', '160', '-y', '48']

export class Tmux {
  readonly socket: string
  readonly #commands: TmuxCommands
  /** Since when it is unknown how a pane's process ended, ms since the epoch, by pane and process. */
  readonly #exitUnknownSince = new Map<string, number>()

  /** `manager`: whose unit runs this process; detected by default. */
  constructor(socket: string, homeDir: string, manager?: Manager | null) {
    this.socket = socket
    this.#commands = new TmuxCommands(socket, homeDir, manager)
  }

  /** Closes the connection; the server and its panes keep running. */
  close(): void {
    this.#commands.close()
  }

  /** All panes that Outpool created, or null when no tmux server answers on its socket. */
  async panes(): Promise<Pane[] | null> {
    const { panes, stderr } = await this.#list(['-a'])
    if (panes !== null) return panes
    if (isNoServer(stderr)) return null
    throw new TmuxFailedError('list-panes', stderr)
  }

  /** Asks again while tmux does not know yet how the process of a dead pane ended. */
  async #list(which: string[]): Promise<{ panes: Pane[] | null; stderr: string }> {
    const { exitCode, stdout, stderr } = await this.#commands.run(['list-panes', ...which, '-F', paneFormat])
    const panes = exitCode === 0 ? stdout.split('\n').flatMap(parsePane) : null
    const unclear = (panes ?? []).filter((pane) => this.#mayLearnExit(pane))
    if (unclear.length === 0) return { panes, stderr }
    await this.#commands.run(letReap)
    await delay(reapTimeout)
    return this.#list(which)
  }

  /** Bounded by time, because several calls may ask at once, and older versions of tmux never tell which signal ended a process. */
  #mayLearnExit(pane: Pane): boolean {
    const key = `${pane.id} ${pane.pid}`
    if (!isExitUnknown(pane)) {
      this.#exitUnknownSince.delete(key)
      return false
    }
    const since = this.#exitUnknownSince.get(key) ?? Date.now()
    this.#exitUnknownSince.set(key, since)
    return elapsed(since, Date.now()) < exitUnknownTimeout
  }

  async pane(session: string): Promise<Pane | null> {
    const named = (await this.#list(['-s', '-t', `=${session}:`])).panes ?? []
    const isOurs = (pane: Pane): boolean => pane.session === session
    // A person may have renamed the tmux session; the mark on the pane identifies it then.
    return named.find(isOurs) ?? (await this.panes())?.find(isOurs) ?? null
  }

  /**
   * Runs `argv` in the session's pane, which is created if needed. The pane's process is `argv` itself, without a shell.
   * The previous process of the pane must have ended. tmux starts the process elsewhere if it can't enter `cwd`, so what must run
   * there enters it itself (launchScript.ts).
   */
  async spawn(input: {
    session: string
    fence: number
    cwd: string
    argv: string[]
    status: string
    /** Runs in the pane when its process was stopped and a person attaches; by default nothing does. */
    hold?: readonly string[]
  }): Promise<Pane> {
    const { session, cwd, argv } = input
    const old = await this.pane(session)
    if (old) {
      const target = old.id
      await this.#commands.runOrThrow('respawn-pane', [
        ...['clear-history', '-t', target, nextCommand],
        ...['respawn-pane', '-k', '-t', target, '-c', escapeFormat(cwd), '--', ...argv],
        ...this.#marks(target, input),
      ])
    } else {
      // A tmux session of that name without a mark is a leftover of a crash; its pane holds no agent.
      const { stderr } = await this.#commands.run(['kill-session', '-t', `=${session}`])
      if (isNoServer(stderr)) await this.#commands.startServer()
      const target = `=${session}:`
      await this.#commands.runOrThrow('new-session', [
        ...['new-session', '-d', '-s', session, ...detachedSize, '-c', escapeFormat(cwd), '--', ...argv],
        ...this.#marks(target, input),
      ])
    }
    const made = await this.pane(session)
    if (!made) throw new TmuxFailedError('new-session', `the pane of ${session} vanished at once`)
    return made
  }

  #marks(
    target: string,
    {
      session,
      fence,
      status,
      hold,
    }: { session: string; fence: number; status: string; hold?: readonly string[] },
  ): TmuxArgument[] {
    return [
      ...[nextCommand, 'set-option', '-p', '-t', target, '@outpool_session', session],
      ...[nextCommand, 'set-option', '-p', '-t', target, '@outpool_fence', String(fence)],
      ...[nextCommand, 'set-option', '-p', '-t', target, '@outpool_stopped', ''],
      ...[nextCommand, 'set-option', '-p', '-t', target, '@outpool_hold', hold ? captureOnAttach(hold) : ''],
      ...[nextCommand, 'set-option', '-p', '-t', target, '@outpool_status', escapeFormat(status)],
    ]
  }

  /** Starts the program that saves typed input in a pane whose agent has ended. The next agent replaces it. */
  async hold(pane: string, argv: readonly string[]): Promise<void> {
    await this.#commands.runOrThrow('respawn-pane', [
      ...captureCommand(argv, pane),
      nextCommand,
      ...clearFence(pane),
    ])
  }

  /** Shows a line in the status bar. False if the pane does not exist. */
  showStatus(session: string, status: string): Promise<boolean> {
    return this.#mark(session, '@outpool_status', escapeFormat(status))
  }

  /** Like `showStatus`, for an agent that is being stopped: a person who attaches after its end gets the program that saves input. */
  async showStopped(session: string, status: string): Promise<void> {
    await this.#mark(session, '@outpool_status', escapeFormat(status), '@outpool_stopped', '1')
  }

  async #mark(session: string, ...marks: string[]): Promise<boolean> {
    const args: TmuxArgument[] = []
    for (let at = 0; at < marks.length; at += 2)
      args.push(
        ...(at === 0 ? [] : [nextCommand]),
        'set-option',
        '-p',
        '-t',
        `=${session}:`,
        ...marks.slice(at, at + 2),
      )
    return (await this.#commands.run(args)).exitCode === 0
  }

  /**
   * Makes the pane a person's own: it loses its marks, closes with its process, and its tmux session gets another name, so that the next
   * session of this name gets a pane of its own. Returns the new name; null if there is no pane with a live process.
   */
  async release(session: string): Promise<string | null> {
    const pane = await this.pane(session)
    if (pane === null || pane.dead || pane.fence === noAgentFence) return null
    const { stdout } = await this.#commands.run(['list-sessions', '-F', '#{session_name}'])
    const taken = stdout.split('\n')
    let name = `released-${session}`
    for (let n = 2; taken.includes(name); n++) name = `released-${session}-${n}`
    const target = pane.id
    await this.#commands.runOrThrow('rename-session', [
      ...['set-option', '-p', '-t', target, 'remain-on-exit', 'off', nextCommand],
      ...[
        'set-option',
        '-p',
        '-t',
        target,
        '@outpool_status',
        escapeFormat('released by Outpool'),
        nextCommand,
      ],
      ...['rename-session', '-t', target, name, nextCommand],
      // The marks go last: until then, another attempt finds the pane.
      ...['set-option', '-p', '-u', '-t', target, '@outpool_fence', nextCommand],
      ...['set-option', '-p', '-u', '-t', target, '@outpool_session'],
    ])
    return name
  }

  async closePane(session: string): Promise<void> {
    await this.#commands.run(['kill-session', '-t', `=${session}`])
  }

  /**
   * The last lines that the pane's program printed, without wrapping. tmux before 3.7 closes the terminal of a process that has ended
   * without reading what is left in it, so what it printed right before its end can be missing: about once in 100 times for `echo`.
   */
  async lastOutput(pane: string, lines: number): Promise<string> {
    const { stdout } = await this.#commands.run(['capture-pane', '-p', '-J', '-S', `-${lines}`, '-t', pane])
    return stdout.trimEnd().split('\n').slice(-lines).join('\n')
  }

  /** The visible screen, as text. */
  async screen(pane: string): Promise<string> {
    const { stdout } = await this.#commands.run(['capture-pane', '-p', '-t', pane])
    return stdout
  }

  /** The visible screen with its colours, by which a program's hints differ from what a person typed. */
  async colouredScreen(pane: string): Promise<string> {
    const { stdout } = await this.#commands.run(['capture-pane', '-p', '-e', '-t', pane])
    return stdout
  }

  /**
   * When a person last pressed a key in a terminal attached to this session, or attached one, ms since the epoch in whole seconds;
   * null if no terminal was ever attached. tmux keeps the time with the session, so that it is known after the person detached.
   */
  async lastKeyAt(session: string): Promise<number | null> {
    const format = `#{session_last_attached}${separator}#{session_activity}`
    const { exitCode, stdout } = await this.#commands.run(['list-panes', '-t', `=${session}:`, '-F', format])
    const [lastAttached = '', activity] = exitCode === 0 ? stdout.split(separator) : []
    return lastAttached === '' ? null : parseInt(activity ?? '', 10) * 1000
  }

  /** Presses named keys, such as `Escape` or `Enter`. */
  async press(pane: string, keys: readonly string[]): Promise<void> {
    await this.#leaveMode(pane)
    await this.#commands.runOrThrow('send-keys', ['send-keys', '-t', pane, ...keys])
  }

  /** Puts a text into the program's input line as one paste; the text itself is in no argument list. */
  async paste(pane: string, text: string): Promise<void> {
    const buffer = `outpool-${pane.slice(1)}`
    const load = await this.#commands.run(['load-buffer', '-b', buffer, '-'], text)
    if (load.exitCode !== 0) throw new TmuxFailedError('load-buffer', load.stderr)
    await this.#leaveMode(pane)
    await this.#commands.runOrThrow('paste-buffer', [
      'paste-buffer',
      '-p',
      '-r',
      '-d',
      '-b',
      buffer,
      '-t',
      pane,
    ])
  }

  /** A person who scrolled back leaves the pane in copy mode, which would take every key instead of the program. */
  async #leaveMode(pane: string): Promise<void> {
    await this.#commands.run([
      'if-shell',
      '-F',
      '-t',
      pane,
      '#{pane_in_mode}',
      `send-keys -X -t ${pane} cancel`,
    ])
  }
}

/**
 * tmux (3.3a) misses the end of about every tenth process that prints something and ends. It stays a zombie without a status until
 * another child ends, when tmux reaps all of them.
 */
const letReap = ['run-shell', '-b', 'true']
/** How long tmux needs for that, and how long to wait until it knows how a process ended. Milliseconds. */
const reapTimeout = 50
const exitUnknownTimeout = 2_000

const isNoServer = (stderr: string): boolean =>
  /no server running|error connecting|server exited|lost server|no current/.test(stderr)

const captureCommand = (argv: readonly string[], pane?: string): string[] => [
  ...['respawn-pane', '-k', ...(pane === undefined ? [] : ['-t', pane]), '--'],
  ...argv,
]
const clearFence = (pane?: string): string[] => [
  ...[
    'set-option',
    '-p',
    ...(pane === undefined ? [] : ['-t', pane]),
    '@outpool_fence',
    String(noAgentFence),
  ],
]

/** The same as a tmux command string, for the pane to which a person has attached. */
function captureOnAttach(argv: readonly string[]): string {
  const quoted = (word: string): string => `"${word.replaceAll(/["$\\]/g, String.raw`\$&`)}"`
  return `${captureCommand(argv).map(quoted).join(' ')} ; ${clearFence().map(quoted).join(' ')}`
}
