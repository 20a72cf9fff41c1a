/** Verifies that a launched agent runs with the right conversation and has taken its prompt. */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { withoutSecrets } from '../../config/secrets/known.js'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Dialog } from '../../agents/adapter/dialogs.js'
import type { LiveState } from '../../agents/adapter/liveness.js'
import type { Place } from '../../agents/adapter/place.js'
import { readingToEngine } from '../../host/state/engineInstants.js'
import type { LaunchRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'
import { programFingerprint, reasonNotRunnable } from '../../host/process/agentProgram.js'
import { folderClosedExit } from '../../host/process/launchScript.js'
import { isWithin, workingFolder } from '../../host/process/workingFolder.js'
import { describeExit, type Pane } from '../../host/tmux/panes.js'
import {
  hookRefusal,
  LaunchFailedError,
  PageOpenError,
  ProgramFailedError,
  WorkFolderClosedError,
  WorkFolderMissingError,
  WrongFolderError,
} from '../errors.js'
import { TmuxFailedError } from '../../host/errors.js'

/** How often a starting agent is polled. */
const pollEvery = 50

/** A dialog accepts one key at a time, and none while it is drawn. */
const dialogPollEvery = 300
/** A dialog that remains after this many keys is left to a person. */
const maxKeyPresses = 12

/** How long a submitted prompt may take to appear in the transcript before it counts as not taken. */
const promptTimeout = 10_000

/** Waits until the agent reports that it runs, in its folder. Answers dialogs if that decides nothing for a person. */
export async function untilUp(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  request: LaunchRequest,
): Promise<{ pane: Pane; live: LiveState | null }> {
  const { startWithin } = host.config.timing
  const until = performance.now() + startWithin
  let keyPresses = 0
  let hasStartedInFolder = false
  for (let polls = 0; ; polls++) {
    const pane = await host.tmux.pane(request.session)
    // The pane of an agent that ended remains. If it is missing, tmux is gone, which has nothing to do with the account.
    if (!pane) throw new TmuxFailedError('list-panes', 'the pane vanished while the agent was starting')
    if (pane.fence !== request.fence) throw new LaunchFailedError('another program was started in its pane')
    if (pane.dead) throw await startFailure(host, place, request, pane)
    const folder: string | null = hasStartedInFolder ? null : await workingFolder(pane.pid)
    hasStartedInFolder ||= folder !== null && isWithin(folder, request.cwd)
    const live = (await adapter.readLiveStates(place, { pids: [pane.pid] }))[0] ?? null
    if (live && folder !== null && !hasStartedInFolder) throw new WrongFolderError(folder, request.cwd)
    if (live && live.sessionId === request.sessionId && live.activity !== 'waiting') return { pane, live }
    // The screen is only a hint, so it is read rarely, but always before giving up.
    if (polls % 10 === 9 || performance.now() > until) {
      const screen = await host.tmux.screen(pane.id)
      const dialog = adapter.readDialog(screen, request.cwd)
      if (dialog?.safeKeys && keyPresses < maxKeyPresses) {
        keyPresses += 1
        await host.tmux.press(pane.id, dialog.safeKeys)
      } else if (dialog) {
        // Without a state file the program has not started yet: a page is open, and typed text would not reach the agent.
        if (live === null && !request.allowOpenPage)
          throw await recordOpenPage(host, adapter, place, request, screen, dialog)
        // It runs, but asks a person; the watch reports that.
        return { pane, live }
      } else if (live?.sessionId === request.sessionId && live.activity === 'waiting') {
        return { pane, live }
      }
    }
    if (performance.now() > until) {
      const shown = lastLines(await host.tmux.screen(pane.id))
      throw new LaunchFailedError(
        `the agent did not start within ${startWithin / 1000} s; it shows: ${shown}`,
      )
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
  /** Size of the transcript before this process, in bytes; on a fork, the instant from which on its entries are its own. */
  { from, forkedAt }: { from: number; forkedAt: string | null },
): Promise<{ isTaken: boolean; refusal: string | null }> {
  const notTaken = { isTaken: false, refusal: null }
  const taken = { isTaken: true, refusal: null }
  if (prompt === null) return taken
  const until = performance.now() + promptTimeout
  let keyPresses = 0
  do {
    const transcript = await adapter.findTranscript(place, request.sessionId)
    if (transcript) {
      const { entered, commands, blocked } = await adapter.readTail(transcript, from, forkedAt)
      // The first prompt of a process is the one with which it was started, even if the program rewrites it.
      if (entered.length > 0 || commands.length > 0) return taken
      if (blocked[0] !== undefined) return { isTaken: false, refusal: hookRefusal(blocked[0].reason) }
    }
    const pane = await host.tmux.pane(request.session)
    if (!pane || pane.dead) return notTaken
    const dialog = adapter.readDialog(await host.tmux.screen(pane.id), request.cwd)
    if (dialog && (!dialog.safeKeys || keyPresses >= maxKeyPresses)) return notTaken
    if (dialog?.safeKeys) {
      keyPresses += 1
      await host.tmux.press(pane.id, dialog.safeKeys)
    }
    await delay(dialog ? dialogPollEvery : pollEvery)
  } while (performance.now() < until)
  return notTaken
}

/** The last lines of the screen: enough to see the reason, but not a conversation. */
function lastLines(screen: string): string {
  const lines = withoutSecrets(screen)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return lines.slice(-3).join(' / ').slice(0, 300) || 'nothing'
}

/** Records the page for this session and for all others that would meet it. */
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
  const until = new Date(Date.now() + host.config.timing.startPageExclusion).toISOString()
  const fingerprint = await host.pageFingerprint(agent, place, cwd)
  host.openPages.record(place.name, { ...page, at, until, metIn: cwd, fingerprint })
  return new PageOpenError({ ...page, at, until }, readingToEngine(host.clock, host.reading(place.name)))
}

/** A program that could not be started is a failure of the host: another account would not help. */
async function startFailure(
  host: Host,
  place: Place,
  { session, agent, cwd }: LaunchRequest,
  pane: Pane,
): Promise<Error> {
  if (!existsSync(cwd)) return new WorkFolderMissingError(cwd)
  if (pane.exitCode === folderClosedExit) return new WorkFolderClosedError(cwd)
  const { command, env } = await host.command(agent, session)
  const whole: NodeJS.ProcessEnv = { ...host.programEnvironment(), ...env, ...place.env }
  const why = await reasonNotRunnable(command, whole, cwd)
  if (why === null) {
    const shown = lastLines(await host.tmux.screen(pane.id))
    return new LaunchFailedError(
      `the agent ended at its start with ${describeExit(pane)}; it showed: ${shown}`,
    )
  }
  const currentFingerprint = (): Promise<string> => programFingerprint(command, whole['PATH'] ?? '', cwd)
  host.unrunnablePrograms.set(session, { fingerprint: await currentFingerprint(), currentFingerprint })
  return new ProgramFailedError(agent, command, why)
}
