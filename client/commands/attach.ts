/** `outpool attach NAME`: the session's pane, in this terminal or in a window of a person's tmux. Needs no engine if the pane exists. */
import { spawn } from 'node:child_process'
import { openHome, type Home } from '../../config/state/home.js'
import type { CommandContext } from '../commandContext.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import {
  hideLeaveKeys,
  leaveKeys,
  outerKeys,
  outerSocket,
  showLeaveKeys,
  type TmuxKeys,
} from '../tmux/nested.js'
import type { SessionCard } from '../sessions/sessionRows.js'
import { writeText } from '../output/terminal.js'
import { formatLocalClock } from '../output/times.js'
import { hasPane } from '../tmux/server.js'
import { openWindow } from '../tmux/window.js'

export async function attach(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const home = openHome()
  await assertAttachable(home, name)
  if (context.flag('window')) {
    const outer = outerSocket(process.env)
    const pane = process.env['TMUX_PANE'] ?? ''
    if (outer === null || pane === '')
      throw new UsageError('--window needs a tmux of yours around this terminal', 'leave out --window')
    openWindow(home, name, { socket: outer, pane })
    return
  }
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UsageError('attach needs a terminal', `read the session with \`outpool show ${name}\` instead`)
  process.exitCode = await runAttached(home, name)
}

/** Throws FailedError if the session has no pane here, or if this terminal is within Outpool's own tmux. */
export async function assertAttachable(home: Home, name: string): Promise<void> {
  if (!(await hasPane(home, name))) throw await noPaneError(home, name)
  if (outerSocket(process.env) === home.tmuxSocket)
    throw new FailedError(
      "this terminal is already inside Outpool's own tmux",
      `switch with: tmux switch-client -t =${name}`,
    )
}

/**
 * Values of TERM to try, in this order, for a terminal that this host has no description of: nearly every terminal understands the
 * first, and every machine has one of them.
 */
const fallbackTerminals = ['xterm-256color', 'screen-256color', 'xterm', 'screen', 'vt100', 'ansi']

/**
 * Works inside a tmux of the person's too: Outpool's has another socket, so TMUX is unset, and its status line says with which keys to
 * leave. Throws FailedError. Returns the exit code.
 */
export async function runAttached(home: Home, name: string): Promise<number> {
  const own = process.env['TERM'] ?? ''
  const outer = outerKeys(process.env)
  for (const term of [own, ...fallbackTerminals]) {
    const { code, refused } = await attachAs(term, home, name, outer)
    if (!refused) return code === 0 ? 0 : 1
  }
  throw new FailedError(
    `tmux can use neither this terminal (TERM=${own}) nor a common one on this host`,
    "install terminal descriptions (ncurses-term, ncurses-base or your system's terminfo), or set TERMINFO_DIRS",
  )
}

/** tmux prints this at once, before it has changed the terminal. */
const refusal = /open terminal failed|missing or unsuitable terminal|terminal does not support/

/** With `-u`, since agents draw UTF-8, and terminals can show it even if the locale says otherwise. */
async function attachAs(
  term: string,
  home: Home,
  name: string,
  outer: TmuxKeys | null,
): Promise<{ code: number | null; refused: boolean }> {
  const env = { ...process.env, TMUX: undefined, TERM: term }
  const child = spawn('tmux', ['-u', '-S', home.tmuxSocket, 'attach-session', '-t', `=${name}`], {
    stdio: ['inherit', 'inherit', 'pipe'],
    env,
  })
  if (outer !== null && child.pid !== undefined) showLeaveKeys(home.tmuxSocket, child.pid, leaveKeys(outer))
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (outer !== null && child.pid !== undefined) hideLeaveKeys(home.tmuxSocket, child.pid)
  const refused = code !== 0 && refusal.test(errors)
  if (!refused) writeText(process.stderr, errors)
  return { code, refused }
}

/** Loads the engine's libraries only here: an existing pane opens without them. */
async function noPaneError(home: Home, name: string): Promise<FailedError> {
  const [{ withEngine }, { findSession }] = await Promise.all([
    import('../engine/engine.js'),
    import('../engine/session.js'),
  ])
  const { card } = await withEngine(home, (engine) => findSession(engine, name))
  return new FailedError(
    `session ${name} has no pane here${noPaneReason(card, home)}`,
    noPaneRemedy(card, home),
  )
}

function noPaneReason(card: SessionCard, home: Home): string {
  if (card.host !== '' && card.host !== home.hostId) return `: it runs on ${card.host}`
  if (card.phase === 'parked')
    return card.parkedUntil === null
      ? ': it is parked'
      : `: it is parked until ${formatLocalClock(card.parkedUntil, new Date())}`
  return `: it is ${card.phase}`
}

function noPaneRemedy(card: SessionCard, home: Home): string {
  if (card.host !== '' && card.host !== home.hostId) return 'attach on that host, with its OUTPOOL_HOME'
  switch (card.phase) {
    case 'stopped':
    case 'paused':
      return `bring it back with \`outpool resume ${card.name}\``
    case 'parked':
      return `it comes back by itself; see the reason with \`outpool show ${card.name}\``
    case 'starting':
    case 'working':
    case 'idle':
    case 'waiting':
    case 'rescuing':
      return `try again in a moment, and see \`outpool show ${card.name}\`; a pane needs a worker: \`outpool up\``
  }
}
