/** Ends the process of a person's agent, after everything that would be lost with it was saved. The first step of its first launch. */
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import { accountAt, type InspectedAgent, placeAt } from '../../host/adoption/inspect.js'
import type { Host } from '../../host/host.js'
import { endProcess } from '../../host/process/processes.js'
import type { LaunchRecord } from '../../host/state/sessionRecord.js'
import { PersonTmux } from '../../host/tmux/personTmux.js'
import { nextTakeOverStep } from '../../policy/session/adoption.js'
import type { LaunchRequest } from '../contracts.js'
import { AdoptionImpossibleError, AgentBusyError, ConversationHeldError, StopFailedError } from '../errors.js'
import { recordProgress } from '../session/conversation.js'
import { saveQueuedTexts } from '../session/pendingInput.js'
import { writeDrafts } from '../session/savedDraft.js'
import { adoptedProcess, takeOverFacts } from './await.js'
import type { AdoptionRequest } from './contracts.js'

/** The person's process counts as a launch before all of Outpool's, so that what it left behind is found like after any move. */
const personFence = 0

/**
 * Idempotent: an attempt that was cut off is continued. To be called within `runExclusive`. Throws AgentBusy if the agent is not at a
 * turn's end any more; then nothing was touched.
 */
export async function takeOver(host: Host, request: LaunchRequest & AdoptionRequest): Promise<void> {
  const { session, sessionId, adoption } = request
  const record = host.adoptions.of(session)
  if (record === null)
    throw new AdoptionImpossibleError(`nothing is known here of the agent that session ${session} adopts`)
  if (record.state !== 'waiting') return
  const adapter = host.adapter(request.agent)
  const running = await adoptedProcess(host, request)
  if (running !== null) {
    const { pid } = running.process
    const facts = await takeOverFacts(host, request, running)
    const { inspected } = facts
    if (nextTakeOverStep(facts, adoption) !== 'take' || inspected === null) throw new AgentBusyError(pid)
    if (running.program.live?.sessionId !== sessionId) throw new AgentBusyError(pid)
    await assertSoleHolder(host, adapter, request, pid)
    await savePersonInput(host, adapter, request, inspected)
    const { terminal } = record
    if (terminal?.kind === 'tmux' && !terminal.hasShell)
      await new PersonTmux(terminal.socket).keepOpen(terminal.pane, true)
    const ended = await endProcess(running.process, host.config.timing.stopGrace)
    if (ended === false) throw new StopFailedError(pid)
  }
  await recordProgress(host, adapter, session, sessionId, record.transcript, true)
  host.adoptions.save(session, { ...record, state: 'taken' })
}

/** Law 3: a second process that a person has opened on the conversation would be left beside the session's. */
async function assertSoleHolder(
  host: Host,
  adapter: AgentAdapter,
  { sessionId, adoption }: LaunchRequest & AdoptionRequest,
  pid: number,
): Promise<void> {
  for (const place of [...host.allPlaces(), placeAt(adoption.configDir)]) {
    const holders = await adapter.readLiveStates(place, { sessionId })
    const other = holders.find((holder) => holder.pid !== pid)
    if (other) throw new ConversationHeldError(sessionId, other.pid)
  }
}

async function savePersonInput(
  host: Host,
  adapter: AgentAdapter,
  request: LaunchRequest & AdoptionRequest,
  { draft, transcript, transcriptFrom }: InspectedAgent,
): Promise<void> {
  const { session, sessionId, agent, cwd, place, adoption } = request
  if (draft !== null) writeDrafts(host, session, [draft])
  if (transcript === null) return
  const account = accountAt(host.config, adoption.configDir)
  const launch: LaunchRecord = {
    ...{ fence: personFence, agent, sessionId, cwd, transcriptFrom, prompt: null, forkedAt: null },
    place: account === null ? place : { kind: 'account', name: account },
    // Never ended by a step for Outpool's own processes.
    process: null,
  }
  host.records.saveLaunch(session, launch)
  await recordProgress(host, adapter, session, sessionId, transcript, false)
  await saveQueuedTexts(host, adapter, session, transcript, launch)
}
