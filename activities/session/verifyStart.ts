/** Proving that a launched agent is up, with the right conversation, and has taken its prompt. */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { AgentAdapter, Dialog, LiveState, Place } from '../../agents/agent.js'
import { readingToEngine } from '../../host/state/engineInstants.js'
import type { LaunchRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'
import { programFingerprint, reasonNotRunnable } from '../../host/process/agentProgram.js'
import type { Pane } from '../../host/tmux/panes.js'
import {
  hookRefusal,
  LaunchFailedError,
  PageOpenError,
  ProgramFailedError,
  WorkFolderMissingError,
} from '../errors.js'
import { TmuxFailedError } from '../../host/errors.js'

/** How often a starting agent is looked at. */
const pollEvery = 50

/** A dialog takes one key after the other, and none while it is being painted. */
const dialogPollEvery = 300
/** A dialog that stands after this many keys is one for a person. */
const maxKeyPresses = 12

/** How long a submitted prompt may take to show in the conversation before it counts as not taken. */
const promptTimeout = 10_000

/** Waits until the agent says that it is up; answers dialogs where that decides nothing for a person. */
export async function untilUp(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  request: LaunchRequest,
): Promise<{ pane: Pane; live: LiveState | null }> {
  const { startWithin } = host.config.timing
  const until = performance.now() + startWithin
  let keyPresses = 0
  for (let polls = 0; ; polls++) {
    const pane = await host.tmux.pane(request.session)
    // An agent that ends leaves its pane behind: where there is none, tmux went, and the account has nothing to do with it.
    if (!pane) throw new TmuxFailedError('list-panes', 'the pane vanished while the agent was starting')
    if (pane.fence !== request.fence) throw new LaunchFailedError('another program was started in its pane')
    if (pane.dead) throw await startFailure(host, place, request, pane)
    const live = (await adapter.readLiveStates(place, { pids: [pane.pid] }))[0] ?? null
    if (live && live.sessionId === request.sessionId && live.activity !== 'waiting') return { pane, live }
    // The screen is only a hint where to look, so it is looked at seldom, and always before giving up.
    if (polls % 10 === 9 || performance.now() > until) {
      const screen = await host.tmux.screen(pane.id)
      const dialog = adapter.readDialog(screen)
      if (dialog?.safeKeys && keyPresses < maxKeyPresses) {
        keyPresses += 1
        await host.tmux.press(pane.id, dialog.safeKeys)
      } else if (dialog) {
        // Without a word of its own yet it is not up: a page stands at its start, and nothing that is typed would reach it.
        if (live === null && !request.allowOpenPage)
          throw await recordOpenPage(host, adapter, place, request, screen, dialog)
        // Up, but it asks a person: the watch says so.
        return { pane, live }
      } else if (live?.sessionId === request.sessionId && live.activity === 'waiting') {
        return { pane, live }
      }
    }
    if (performance.now() > until) {
      const shown = lastLines(await host.tmux.screen(pane.id))
      throw new LaunchFailedError(`the agent was not up within ${startWithin / 1000} s; it shows: ${shown}`)
    }
    await delay(pollEvery)
    Context.current().cancellationSignal.throwIfAborted()
  }
}

export async function untilPromptTaken(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  request: LaunchRequest,
  prompt: string | null,
  /** What stood in the transcript before this process, in bytes; on a fork, from when on it is the fork's own. */
  { from, forkedAt }: { from: number; forkedAt: string | null },
): Promise<{ isTaken: boolean; refusal: string | null }> {
  const open = { isTaken: false, refusal: null }
  const taken = { isTaken: true, refusal: null }
  if (prompt === null) return taken
  const until = performance.now() + promptTimeout
  let keyPresses = 0
  do {
    const transcript = await adapter.findTranscript(place, request.sessionId)
    if (transcript) {
      const { entered, commands, blocked } = await adapter.readTail(transcript, from, forkedAt)
      // The first thing that is said to a process is what it was started with, however the program writes it down.
      if (entered.length > 0 || commands.length > 0) return taken
      if (blocked[0] !== undefined) return { isTaken: false, refusal: hookRefusal(blocked[0].reason) }
    }
    const pane = await host.tmux.pane(request.session)
    if (!pane || pane.dead) return open
    const dialog = adapter.readDialog(await host.tmux.screen(pane.id))
    if (dialog && (!dialog.safeKeys || keyPresses >= maxKeyPresses)) return open
    if (dialog?.safeKeys) {
      keyPresses += 1
      await host.tmux.press(pane.id, dialog.safeKeys)
    }
    await delay(dialog ? dialogPollEvery : pollEvery)
  } while (performance.now() < until)
  return open
}

/** What a person would see at the end of the screen: enough to know why, never a conversation. */
function lastLines(screen: string): string {
  const lines = screen
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return lines.slice(-3).join(' / ').slice(0, 300) || 'nothing'
}

/** Notes the page, for this session and for those that would meet it too. */
async function recordOpenPage(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  { session, agent, cwd }: LaunchRequest,
  screen: string,
  dialog: Dialog,
): Promise<Error> {
  const command = await host.command(agent, session)
  const page = adapter.describeStartPage(screen, dialog, place, command, cwd)
  const at = new Date().toISOString()
  const until = new Date(Date.now() + host.config.timing.pageStands).toISOString()
  const fingerprint = await host.pageFingerprint(agent, place, cwd)
  host.openPages.record(place.name, { ...page, at, until, metIn: cwd, ground: fingerprint })
  return new PageOpenError({ ...page, at, until }, readingToEngine(host.clock, host.reading(place.name)))
}

/** What could not even be started is a fault of the host: under another account it would end in the same way. */
async function startFailure(
  host: Host,
  place: Place,
  { session, agent, cwd }: LaunchRequest,
  { id }: Pane,
): Promise<Error> {
  if (!existsSync(cwd)) return new WorkFolderMissingError(cwd)
  const { command, env } = await host.command(agent, session)
  const whole: NodeJS.ProcessEnv = { ...process.env, ...env, ...place.env }
  const why = await reasonNotRunnable(command, whole, cwd)
  if (why === null)
    return new LaunchFailedError(`the agent ended at its start: ${lastLines(await host.tmux.screen(id))}`)
  const look = (): Promise<string> => programFingerprint(command, whole['PATH'] ?? '', cwd)
  host.unrunnablePrograms.set(session, { fingerprint: await look(), currentFingerprint: look })
  return new ProgramFailedError(agent, command, why)
}
