/** Waits until an agent of a person can be taken over, and records how it was started. */
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import {
  type AgentProcess,
  identifyAgent,
  inspectAgent,
  type InspectedAgent,
  placeAt,
} from '../../host/adoption/inspect.js'
import type { Host } from '../../host/host.js'
import { readUserProcess } from '../../host/process/userProcesses.js'
import type { AdoptionRecord } from '../../host/state/adoptions.js'
import {
  paneOnTerminal,
  type PersonPane,
  personPanes,
  personSockets,
  PersonTmux,
} from '../../host/tmux/personTmux.js'
import { type AdoptionLoss, nextTakeOverStep, type TakeOverFacts } from '../../policy/session/adoption.js'
import { adoptionRefusalText } from '../../policy/session/adoptionTexts.js'
import { recordProgress } from '../session/conversation.js'
import { AdoptionImpossibleError } from '../errors.js'
import type { AdoptionObservation, AdoptionRequest, AdoptionWait } from './contracts.js'
import { hasShell } from './terminal.js'

/** The state of a process is read this often; its transcript only when its turn has ended. */
const pollEvery = 1_000

export async function awaitAdoption(host: Host, request: AdoptionWait): Promise<AdoptionObservation> {
  const { session, adoption } = request
  const known = host.adoptions.of(session)
  const isUnderWay = known !== null && known.state !== 'waiting' && known.state !== 'settled'
  // An attempt to launch has ended the process already.
  if (isUnderWay) return readyAfter(host, request, known.sessionId)
  for (;;) {
    const running = await adoptedProcess(host, request)
    if (running === null) {
      await recordStopped(host, request)
      return readyAfter(host, request, request.sessionId)
    }
    const facts = await takeOverFacts(host, request, running)
    if (facts.inspected !== null) recordAdoption(host, request, facts.inspected, running)
    const step = nextTakeOverStep(facts, adoption)
    if (step === 'take') {
      const { live } = running.program
      const turn = facts.activity === 'idle' ? await turnAtRest(host, request, facts.inspected) : 'cut-off'
      return { kind: 'ready', sessionId: live?.sessionId ?? request.sessionId, turn }
    }
    if (step === 'close-menu') await closeMenu(host.adapter(request.agent), running)
    const losses = step === 'blocked' ? facts.losses.map(withoutContent) : []
    if (JSON.stringify(losses) !== JSON.stringify(request.blockedBy)) return { kind: 'blocked', losses }
    await (step === 'blocked' ? untilChanged(host, request, running) : pause())
  }
}

const pause = (): Promise<void> =>
  delay(pollEvery, undefined, { signal: Context.current().cancellationSignal })

/** More names than a person would read. */
const maxNames = 20

/** For the workflow: what tasks do is in the words of the agent, which stay on the host (law 11). */
function withoutContent(loss: AdoptionLoss): AdoptionLoss {
  if (loss.kind === 'background-tasks') {
    const { length } = loss.tasks
    return { ...loss, tasks: [length === 1 ? 'one task' : `${length} tasks`] }
  }
  return 'names' in loss ? { ...loss, names: loss.names.slice(0, maxNames) } : loss
}

/** Until the process reports another state, or its screen shows something else: only then can a loss be gone. */
async function untilChanged(host: Host, request: AdoptionRequest, before: AgentProcess): Promise<void> {
  const screenBefore = await screenOf(before)
  for (;;) {
    await pause()
    const now = await adoptedProcess(host, request)
    if (now?.program.live?.updatedAt !== before.program.live?.updatedAt) return
    if (now === null || (await screenOf(now)) !== screenBefore) return
  }
}

const paneOf = async ({ process }: AgentProcess): Promise<PersonPane | null> =>
  paneOnTerminal(await personPanes(personSockets([process.env])), process.tty)

/** Null if it is not in a pane of tmux. */
async function screenOf(running: AgentProcess): Promise<string | null> {
  const pane = await paneOf(running)
  return pane === null ? null : new PersonTmux(pane.socket).colouredScreen(pane.id)
}

/** The process that is to be taken over, as it is now; null if it has ended. */
export async function adoptedProcess(
  host: Host,
  { adoption }: AdoptionRequest,
): Promise<AgentProcess | null> {
  const process = adoption.process === null ? null : readUserProcess(adoption.process.pid)
  if (process === null || process.start !== adoption.process?.start) return null
  return identifyAgent(host.config, process)
}

/** `inspected` is null while there is nothing to decide: its turn runs, or it waits in a menu or for its person. */
export async function takeOverFacts(
  host: Host,
  { agent, adoption }: AdoptionRequest,
  running: AgentProcess,
): Promise<TakeOverFacts & { inspected: InspectedAgent | null }> {
  const reported = running.program.live?.activity ?? 'busy'
  let activity: TakeOverFacts['activity'] = reported === 'shell' ? 'idle' : 'busy'
  if (reported === 'idle') activity = 'idle'
  if (reported === 'waiting')
    activity = menuKeys(host.adapter(agent), await screenOf(running)) === null ? 'dialog' : 'menu'
  if (activity === 'menu' || (activity !== 'idle' && !adoption.now))
    return { activity, losses: [], inspected: null }
  const panes = await personPanes(personSockets([running.process.env]))
  const inspected = await inspectAgent(host, running, panes)
  return { activity, losses: inspected.found.losses, inspected }
}

/** The keys that close a menu such as that of a usage limit without a decision; null if none is open. */
function menuKeys(adapter: AgentAdapter, screen: string | null): readonly string[] | null {
  const keys = screen === null ? null : (adapter.readDialog(screen)?.safeKeys ?? null)
  return keys?.join(' ') === 'Escape' ? keys : null
}

async function closeMenu(adapter: AgentAdapter, running: AgentProcess): Promise<void> {
  const pane = await paneOf(running)
  if (pane === null) return
  const tmux = new PersonTmux(pane.socket)
  const keys = menuKeys(adapter, await tmux.colouredScreen(pane.id))
  if (keys !== null) await tmux.press(pane.id, keys)
}

/** A turn that ended at a usage limit has to be taken up again. */
async function turnAtRest(
  host: Host,
  { agent }: AdoptionRequest,
  inspected: InspectedAgent | null,
): Promise<'idle' | 'cut-off'> {
  if (!inspected?.transcript) return 'idle'
  const { last } = await host.adapter(agent).readTail(inspected.transcript, inspected.transcriptFrom)
  return last?.kind === 'failure' && last.failure.class === 'wall' ? 'cut-off' : 'idle'
}

/** Also claims the conversation: no other session of this host may take it over at the same time. Throws AdoptionImpossible. */
function recordAdoption(
  host: Host,
  { session }: AdoptionRequest,
  { found, transcript, start, pane }: InspectedAgent,
  { process }: AgentProcess,
): void {
  if (found.refusal !== null || found.sessionId === null || transcript === null)
    throw new AdoptionImpossibleError(
      `process ${found.pid} can not be adopted: ${adoptionRefusalText(found.refusal ?? 'nothing-said')}`,
    )
  claim(host, session, found.sessionId)
  const { terminal } = found
  const isOwn = pane?.socket === host.tmux.socket
  const record: AdoptionRecord = {
    ...{ state: 'waiting', sessionId: found.sessionId, process: { pid: process.pid, start: process.start } },
    terminal:
      terminal === null || isOwn
        ? null
        : terminal.kind === 'tty'
          ? terminal
          : { ...terminal, hasShell: pane !== null && hasShell(pane, process) },
    ...{ transcript, cwd: process.cwd, argv: process.argv, env: process.env },
    ...{ args: start.args, model: start.model },
  }
  host.adoptions.save(session, record)
}

/** The file of a stopped conversation may be in a config dir that the configuration does not name. */
async function recordStopped(host: Host, request: AdoptionRequest): Promise<void> {
  const { session, sessionId, agent, cwd, adoption } = request
  const known = host.adoptions.of(session)
  const transcript =
    (await host.adapter(agent).findTranscript(placeAt(adoption.configDir), sessionId)) ??
    known?.transcript ??
    null
  if (transcript === null)
    throw new AdoptionImpossibleError(
      `conversation ${sessionId} is not in ${adoption.configDir} any more; name the conversation that is to be adopted`,
    )
  claim(host, session, sessionId)
  const unknown = { terminal: null, argv: [], env: null, args: null, model: null }
  const how = { ...unknown, ...(known?.sessionId === sessionId ? known : {}) }
  host.adoptions.save(session, { ...how, state: 'taken', process: null, sessionId, transcript, cwd })
  await recordProgress(host, host.adapter(agent), session, sessionId, transcript, true)
}

function claim(host: Host, session: string, sessionId: string): void {
  const rival = host.adoptions.rivalOf(session, sessionId)
  if (rival !== null)
    throw new AdoptionImpossibleError(
      `conversation ${sessionId} is being adopted as session ${rival}; see: outpool show ${rival}`,
    )
}

/** No turn is begun for a conversation that its person has left, but one that an earlier attempt has interrupted goes on. */
async function readyAfter(
  host: Host,
  { session, agent }: AdoptionRequest,
  sessionId: string,
): Promise<AdoptionObservation> {
  const record = host.adoptions.of(session)
  const end = record?.process ? await host.adapter(agent).readEnd(record.transcript) : null
  return { kind: 'ready', sessionId, turn: end?.turn === 'open' ? 'cut-off' : 'idle' }
}
