/**
 * A pane that is attached from within a person's own tmux: their tmux takes its own keys first, so other keys leave the pane than in a
 * plain terminal. Outpool's status line (host/tmux/server.ts) says which.
 */
import { spawnSync } from 'node:child_process'

/** A live tmux server answers at once, on a busy machine within seconds. Milliseconds. */
const answerWithin = 5_000

/** The keys by which a tmux takes commands, as tmux names them. */
export interface TmuxKeys {
  /** One or two; `None` for one that is not set. */
  prefixes: readonly string[]
  /** The keys that are pressed after a prefix, and what each is bound to. */
  bindings: readonly { key: string; command: string }[]
}

/** The pane's own prefix is tmux's default: Outpool's server reads no configuration of the person's. */
const ownPrefix = 'C-b'

/**
 * What a person presses to leave the pane. `outer`: the tmux around it, or null. Null if that one passes the pane's prefix on by no
 * key.
 */
export function leaveKeys(outer: TmuxKeys | null): string | null {
  const leave = [ownPrefix, 'd']
  const place = outer?.prefixes.indexOf(ownPrefix) ?? -1
  if (outer === null || place < 0) return inWords(leave)
  const sends = place === 0 ? 'send-prefix' : 'send-prefix -2'
  const passing = outer.bindings.find(({ command }) => command === sends)
  const [prefix] = outer.prefixes
  if (passing === undefined || prefix === undefined) return null
  return inWords([prefix === 'None' ? ownPrefix : prefix, passing.key, 'd'])
}

const inWords = (keys: readonly string[]): string =>
  keys.map((key) => key.replace(/^C-(?=.)/, 'Ctrl-').replace(/^M-(?=.)/, 'Alt-')).join(' ')

/** The socket of the tmux around this terminal, or null. */
export function outerSocket({ TMUX }: NodeJS.ProcessEnv): string | null {
  const [socket = ''] = (TMUX ?? '').split(',')
  return socket === '' ? null : socket
}

/** The keys of the tmux around this terminal; null if there is none, or if it does not answer. */
export function outerKeys(env: NodeJS.ProcessEnv): TmuxKeys | null {
  const socket = outerSocket(env)
  if (socket === null) return null
  const { TMUX_PANE } = env
  const target = TMUX_PANE === undefined ? [] : ['-t', TMUX_PANE]
  const asked = askTmux(socket, [
    ...['display-message', '-p', ...target, '#{prefix} #{prefix2}', ';'],
    ...['list-keys', '-T', 'prefix'],
  ])
  if (asked === null) return null
  const [prefixes = '', ...lines] = asked.split('\n')
  return { prefixes: prefixes.split(' '), bindings: lines.flatMap(bindingIn) }
}

function bindingIn(line: string): TmuxKeys['bindings'] {
  const [, key, command] = /^bind-key\s+(?:-r\s+)?-T prefix\s+(\S+)\s+(.+)$/.exec(line) ?? []
  return key === undefined || command === undefined ? [] : [{ key, command: command.trim() }]
}

/** Lets the status line of this client of Outpool's tmux say how to leave. Nothing happens if tmux does not answer. */
export function showLeaveKeys(socket: string, clientPid: number, keys: string | null): void {
  const text = keys ?? 'from another terminal (your tmux binds no key to send-prefix)'
  askTmux(socket, [
    ...['set-option', '-g', '@outpool_leave', text, ';'],
    ...['set-option', '-ga', '@outpool_nested', ` ${clientPid} `],
  ])
}

/** The number may be that of another client later. */
export function hideLeaveKeys(socket: string, clientPid: number): void {
  askTmux(socket, ['set-option', '-gF', '@outpool_nested', `#{s/ ${clientPid} //:@outpool_nested}`])
}

/** What it prints; null if it fails, or if no server runs there. */
export function askTmux(socket: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync('tmux', ['-S', socket, '-N', ...args], {
    ...{ encoding: 'utf8', timeout: answerWithin, stdio: ['ignore', 'pipe', 'ignore'] },
    env: { ...process.env, TMUX: undefined },
  })
  return status === 0 ? stdout : null
}
