/** Starts the agent in the session's pane and proves that it is up with the right conversation. Idempotent per fence. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Context } from '@temporalio/activity'
import type { AgentAdapter, Place } from '../../agents/agent.js'
import type { RescueStep } from '../../policy/session/session.js'
import { untilTaken, untilUp } from './arrival.js'
import { broughtTo, type Found } from './carry.js'
import type { Launched, LaunchRequest } from '../contracts.js'
import { lastTranscript, noteEnd } from './conversation.js'
import { conversationHeld, promptMissing, stopFailed, workFolderMissing } from '../errors.js'
import { layHandOver } from './handOver.js'
import { lostTo, withLost } from './lostWork.js'
import type { Host } from '../../host/host.js'
import { writeLaunchScript } from '../../host/process/launchScript.js'
import { end, isAlive, startOf, type ProcessRef } from '../../host/process/processes.js'
import type { LaunchRecord } from '../../host/state/sessionRecords.js'
import { heldFence } from '../../host/tmux/panes.js'
import { takeOverWork, wakeUpsOwed } from './wakeUps.js'
import { holder, keepQueued, restoreDraft, takeHeld, textsWaiting } from './pendingInput.js'

export async function launchAgent(host: Host, request: LaunchRequest): Promise<Launched> {
  // Before the session's own turn: whoever stops the session must not wait behind other sessions' starts.
  const { cancellationSignal } = Context.current()
  const leave = await host.starts.enter(cancellationSignal, (starting) => {
    const why = `waits for its turn: ${starting} agents are starting on this host`
    void host.tmux.showStatus(request.session, `outpool: ${why}`)
  })
  try {
    return await host.records.inTurn(request.session, () => launch(host, request, leave))
  } finally {
    leave(null)
  }
}

async function launch(
  host: Host,
  request: LaunchRequest,
  leave: (startMs: number | null) => void,
): Promise<Launched> {
  const { session, sessionId, fence, cwd } = request
  host.records.assertLaunchable(session, fence)
  if (!existsSync(cwd)) throw workFolderMissing(cwd)
  const adapter = host.adapter(request.agent)
  const place = await host.place(request.place)
  const text = await promptText(request)
  const steps: RescueStep[] = []
  const step = stepTimer(steps)

  const running = await runningLaunch(host, session, fence)
  let prompt: string | null = null
  let record: LaunchRecord
  let settledForks: string[] = []
  if (running) {
    record = running
  } else {
    // First of all: what the process before still writes when it ends is a part of what goes on.
    await step('clear', () => clearTheWay(host, adapter, request))
    await keepLeftQueue(host, adapter, session)
    const left = await takeOverWork(host, adapter, request)
    const found = await broughtTo(host, adapter, place, request, (carry) => step('carry', carry))
    const goesOnWith = found.own ?? found.origin
    prompt = await promptToSubmit(host, adapter, session, goesOnWith, {
      text,
      otherwise: request.prompt?.otherwise ?? null,
    })
    const lost = await lostTo(host, adapter, request, left, found.own)
    prompt = withLost(prompt, request.prompt?.otherwise ?? null, lost)
    const { file, settled } = await layHandOver(host, adapter, request, goesOnWith)
    settledForks = settled
    if (!request.forkOf)
      host.records.saveForks(
        session,
        (request.forks ?? []).map((id) => ({ id, to: sessionId, agent: request.agent })),
      )
    // Before this launch is noted, which would be the newest place then.
    const answeredAt = host.answeredAt(session, request.place)
    record = await step('prepare', () =>
      prepare(host, adapter, place, request, found, { submitted: prompt, answeredAt }),
    )
    await step('respawn', () =>
      respawn(host, adapter, place, request, record, { ...found, prompt, handOver: file, answeredAt }),
    )
  }
  const up = await step('verify', () => untilUp(host, adapter, place, request))
  if (up.live !== null) host.pages.forget(place.name, cwd)
  leave(running ? null : startTime(steps))
  const { isTaken: promptTaken, refusal } = await step('prompt', () =>
    untilTaken(host, adapter, place, request, prompt ?? text, {
      from: record.transcriptFrom,
      forkedAt: record.forkedAt,
    }),
  )
  if (promptTaken) host.work.lostAreTold(session)
  await restoreDraft(host, adapter, session, up.pane.id)
  const transcript = await adapter.findTranscript(place, sessionId)
  await noteEnd(host, adapter, session, sessionId, transcript, false)
  const { transcriptFrom } = record
  const tmuxSocket = host.tmux.socket
  const { id: pane, pid } = up.pane
  const typed = textsWaiting(host, session)
  const plans = wakeUpsOwed(host, session)
  return {
    ...{ pane, pid, tmuxSocket, transcript, transcriptFrom, promptTaken, settledForks, typed, plans, steps },
    ...(refusal === null ? {} : { promptRefused: refusal }),
  }
}

/** What the process before held in its waiting line, on whichever conversation that was, died with it. */
async function keepLeftQueue(host: Host, adapter: AgentAdapter, session: string): Promise<void> {
  const before = host.records.newest(session)
  const transcript = before && (await lastTranscript(host, adapter, session, before))
  if (before && transcript) await keepQueued(host, adapter, session, transcript, before)
}

/** From the respawn to the agent's own word that it is up. */
const startTime = (steps: readonly RescueStep[]): number =>
  steps.filter(({ name }) => name === 'respawn' || name === 'verify').reduce((sum, { ms }) => sum + ms, 0)

/** An earlier attempt of this very launch whose process lives: it is taken as it is. */
async function runningLaunch(host: Host, session: string, fence: number): Promise<LaunchRecord | null> {
  const known = host.records.launch(session, fence)
  if (!known) return null
  if (known.process) return (await isAlive(known.process)) ? known : null
  // The worker was killed between the start of the process and the note of it; the pane tells.
  const pane = await host.tmux.pane(session)
  const start = pane?.fence === fence && !pane.dead ? await startOf(pane.pid) : null
  if (!pane || start === null) return null
  const launch = { ...known, process: { pid: pane.pid, start } }
  host.records.saveLaunch(session, launch)
  return launch
}

function stepTimer(steps: RescueStep[]) {
  return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now()
    const done = await work()
    steps.push({ name, ms: Math.round(performance.now() - from) })
    return done
  }
}

/** Law 3: no live process may hold the conversation when the next one starts. Only our own are ended. */
async function clearTheWay(host: Host, adapter: AgentAdapter, request: LaunchRequest): Promise<void> {
  const { session, sessionId, forkOf } = request
  const pane = await host.tmux.pane(session)
  const start = pane && !pane.dead && pane.fence !== heldFence ? await startOf(pane.pid) : null
  if (pane && start !== null) await mustEnd(host, { pid: pane.pid, start })
  const newest = host.records.newest(session)
  if (newest?.process) await mustEnd(host, newest.process)
  for (const place of host.allFiles()) {
    for (const conversation of [sessionId, ...(forkOf ? [forkOf] : [])]) {
      const [other] = await adapter.liveStates(place, { sessionId: conversation })
      if (other) throw conversationHeld(conversation, other.pid)
    }
  }
}

async function mustEnd(host: Host, process: ProcessRef): Promise<void> {
  if ((await end(process, host.config.timing.stopGrace)) === false) throw stopFailed(process.pid)
}

/** A prompt that an earlier launch submitted was taken where anything at all was said since: it is not given twice. */
async function promptToSubmit(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  transcript: string | null,
  { text, otherwise }: { text: string | null; otherwise: string | null },
): Promise<string | null> {
  if (text === null || transcript === null) return text
  const from = host.records.promptedFrom(session, adapter.fingerprint(text))
  if (from === null) return text
  const { entered, commands, blocked } = await adapter.readTail(transcript, from)
  return [entered, commands, blocked].some((said) => said.length > 0) ? otherwise : text
}

async function promptText({ prompt }: LaunchRequest): Promise<string | null> {
  const text = prompt?.text ?? null
  if (text === null || typeof text === 'string') return text
  const { file } = text
  return readFile(file, 'utf8').catch(() => {
    throw promptMissing(file)
  })
}

async function prepare(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  request: LaunchRequest,
  { own, origin }: Found,
  { submitted, answeredAt }: { submitted: string | null; answeredAt: readonly Place[] },
): Promise<LaunchRecord> {
  await adapter.prepare(place, request.cwd, answeredAt)
  const { session, fence, agent, sessionId, cwd } = request
  const transcriptFrom = own === null ? 0 : statSync(own).size
  const forkedAt = origin === null ? host.records.forkedAt(session, sessionId) : new Date().toISOString()
  const process = null
  const prompt = submitted === null ? null : adapter.fingerprint(submitted)
  const where = { fence, place: request.place, agent, sessionId, cwd, process }
  const launch = { ...where, transcriptFrom, prompt, forkedAt }
  host.records.saveLaunch(request.session, launch)
  return launch
}

async function respawn(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  request: LaunchRequest,
  launch: LaunchRecord,
  {
    own,
    origin,
    prompt,
    handOver,
    answeredAt,
  }: Found & { prompt: string | null; handOver: string | null; answeredAt: readonly Place[] },
): Promise<void> {
  const { session, sessionId, forkOf, fence, cwd, model } = request
  const plan = await adapter.plan({
    place,
    command: await host.command(request.agent, request.session),
    session,
    sessionId,
    fence,
    cwd,
    model,
    mode: own !== null ? 'resume' : origin !== null ? 'fork' : 'new',
    forkOf: forkOf ?? null,
    handOver,
    prompt,
    answeredAt,
    launchDir: host.records.folder(session),
    reportDir: host.home.reports,
    baseEnv: process.env,
  })
  const script = writeLaunchScript(host.records.folder(session), fence, plan)
  const argv = ['/bin/sh', script]
  await takeHeld(host, session)
  const hold = holder(host, session, fence)
  const pane = await host.tmux.spawn({ session, fence, cwd, argv, status: request.status, hold })
  const start = await startOf(pane.pid)
  host.records.saveLaunch(session, { ...launch, process: start === null ? null : { pid: pane.pid, start } })
}
