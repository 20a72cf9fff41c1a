/** Starts the agent in the session's pane and verifies that it runs with the right conversation. Idempotent per fence. */
import { existsSync, statSync } from 'node:fs'
import { Context } from '@temporalio/activity'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { ProjectSettings } from '../../agents/adapter/launch.js'
import type { Place } from '../../agents/adapter/place.js'
import { readRegular } from '../../agents/files.js'
import type { RescueStep } from '../../policy/session/session.js'
import { takeOver } from '../adoption/takeOver.js'
import { untilPromptTaken, untilUp } from './verifyStart.js'
import { carryTranscripts, type CarriedTranscripts } from './carryTranscripts.js'
import type { LaunchResult, LaunchRequest } from '../contracts.js'
import { recordProgress } from './conversation.js'
import { isPersons, keepFirstPrompt, keptFirstPrompt, typeFirstPrompt } from './firstPrompt.js'
import { prepareHandOver } from './handOver.js'
import { describeLostTasks, withLostTasks } from './lostTasks.js'
import type { Host } from '../../host/host.js'
import { writeLaunchScript } from '../../host/process/launchScript.js'
import { processStart } from '../../host/process/processes.js'
import type { LaunchRecord } from '../../host/state/sessionRecord.js'
import { inheritBackgroundWork, pendingWakeUps } from './plannedWakeUps.js'
import { pendingInputCommand, restoreDraft, collectPendingInput, pendingTexts } from './pendingInput.js'
import { assertNoneNewer, endPreviousProcess, runningLaunch, savePreviousQueue } from './previousProcess.js'
import { ProjectUntrustedError, PromptMissingError, WorkFolderMissingError } from '../errors.js'

export async function launchAgent(host: Host, request: LaunchRequest): Promise<LaunchResult> {
  // Acquired before `runExclusive`: a stop of the session must not wait for the starts of other sessions.
  const { cancellationSignal } = Context.current()
  const releaseSlot = await host.startLimiter.acquire(cancellationSignal, (starting) => {
    const status = `outpool: waits for its turn: ${starting} agents are starting on this host`
    void host.tmux.showStatus(request.session, status)
  })
  try {
    return await host.records.runExclusive(request.session, () => launch(host, request, releaseSlot))
  } finally {
    releaseSlot(null)
  }
}

async function launch(
  host: Host,
  request: LaunchRequest,
  releaseSlot: (startMs: number | null) => void,
): Promise<LaunchResult> {
  const { session, sessionId, fence, cwd } = request
  host.records.assertLaunchable(session, fence)
  if (host.records.isLost(session)) await assertNoneNewer(host, session, fence)
  if (!existsSync(cwd)) throw new WorkFolderMissingError(cwd)
  const adapter = host.adapter(request.agent)
  const off = await host.features.review(request.agent)
  const place = await host.place(request.place)
  const text = await promptText(request)
  const steps: RescueStep[] = []
  const step = stepTimer(steps)

  const survivor = await runningLaunch(host, session, fence)
  let prompt: string | null = null
  let record: LaunchRecord
  let settledForks: string[] = []
  if (survivor) {
    record = survivor
  } else {
    // Before an adopted agent is ended, too.
    await assertTrusted(host, adapter, request)
    const { adopt } = request
    if (adopt !== undefined) await step('take over', () => takeOver(host, { ...request, adoption: adopt }))
    // The name may have been that of an adopted session.
    else if (request.mode === 'new') host.adoptions.remove(session)
    // Done first: the previous process may write to the transcript as it ends, and that has to be carried too.
    await step('clear', () => endPreviousProcess(host, adapter, request))
    await savePreviousQueue(host, adapter, session)
    const previousTranscript = await inheritBackgroundWork(host, adapter, request)
    const transcripts = await carryTranscripts(host, adapter, place, request, (carry) => step('carry', carry))
    const continuedTranscript = transcripts.own ?? transcripts.origin
    prompt = await promptToSubmit(host, adapter, session, continuedTranscript, {
      text,
      otherwise: request.prompt?.otherwise ?? null,
    })
    const isTyped = isPersons(request, prompt)
    const lostTasksText = await describeLostTasks(host, adapter, request, previousTranscript, transcripts.own)
    prompt = withLostTasks(prompt, request.prompt?.otherwise ?? null, lostTasksText)
    const { file, settled } = await prepareHandOver(host, adapter, request, continuedTranscript)
    settledForks = settled
    if (!request.forkOf)
      host.records.saveForks(
        session,
        (request.forks ?? []).map((id) => ({ id, to: sessionId, agent: request.agent })),
      )
    keepFirstPrompt(host, request, isTyped ? prompt : null)
    // Read before this launch is recorded, which would make its place the newest.
    const placesWithAnsweredPages = host.placesWithAnsweredPages(session, request.place)
    record = await step('prepare', () =>
      prepare(host, adapter, place, request, transcripts, { submitted: prompt, placesWithAnsweredPages }),
    )
    await step('respawn', () =>
      respawn(host, adapter, place, request, record, {
        ...transcripts,
        prompt: isTyped ? null : prompt,
        handOver: file,
        placesWithAnsweredPages,
      }),
    )
  }
  const up = await step('verify', () => untilUp(host, adapter, place, request))
  if (up.live !== null) host.openPages.forget(place.name, cwd)
  host.launchedAgents.add(request.agent)
  releaseSlot(survivor ? null : startTime(steps))
  const since = { from: record.transcriptFrom, forkedAt: record.forkedAt }
  const kept = keptFirstPrompt(host, request)
  const { isTaken, refusal } = await step('prompt', () =>
    kept === null
      ? untilPromptTaken(host, adapter, place, request, prompt ?? text, since)
      : typeFirstPrompt(host, adapter, place, request, up.pane, kept, since),
  )
  // One that is kept is among the pending texts, which the session delivers.
  const promptTaken = isTaken || (kept !== null && refusal === null)
  if (promptTaken) host.backgroundWork.clearLost(session)
  await restoreDraft(host, adapter, session, up.pane.id)
  const transcript = await adapter.findTranscript(place, sessionId)
  await recordProgress(host, adapter, session, sessionId, transcript, false)
  const { transcriptFrom } = record
  const tmuxSocket = host.tmux.socket
  const { id: pane, pid } = up.pane
  const typed = pendingTexts(host, session)
  const plans = pendingWakeUps(host, session)
  return {
    pane,
    pid,
    tmuxSocket,
    transcript,
    transcriptFrom,
    promptTaken,
    ...(refusal === null ? {} : { promptRefused: refusal }),
    settledForks,
    pendingInput: typed,
    plans,
    ...(off.length === 0 ? {} : { off: [...off] }),
    steps,
  }
}

/** From the respawn until the agent reported that it runs. */
const startTime = (steps: readonly RescueStep[]): number =>
  steps.filter(({ name }) => name === 'respawn' || name === 'verify').reduce((sum, { ms }) => sum + ms, 0)

function stepTimer(steps: RescueStep[]) {
  return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now()
    const done = await work()
    steps.push({ name, ms: Math.round(performance.now() - from) })
    return done
  }
}

/** Throws ProjectUntrusted. The session is started as soon as a person trusts the settings, or has removed them. */
async function assertTrusted(
  host: Host,
  adapter: AgentAdapter,
  { session, cwd }: LaunchRequest,
): Promise<void> {
  const untrusted = async (): Promise<ProjectSettings[]> =>
    host.trust.untrusted(await adapter.projectSettings(cwd))
  const found = await untrusted()
  if (found.length === 0) return
  const currentFingerprint = async (): Promise<string> => JSON.stringify(await untrusted())
  host.unrunnablePrograms.set(session, { fingerprint: JSON.stringify(found), currentFingerprint })
  throw new ProjectUntrustedError(cwd, found)
}

/** A prompt that an earlier launch submitted counts as taken if any prompt followed; it is not submitted twice. */
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
  return readRegular(file).catch(() => {
    throw new PromptMissingError(file)
  })
}

async function prepare(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  request: LaunchRequest,
  { own, origin }: CarriedTranscripts,
  {
    submitted,
    placesWithAnsweredPages,
  }: { submitted: string | null; placesWithAnsweredPages: readonly Place[] },
): Promise<LaunchRecord> {
  await adapter.prepare(place, request.cwd, placesWithAnsweredPages)
  const { session, fence, agent, sessionId, cwd } = request
  const transcriptFrom = own === null ? 0 : statSync(own).size
  const forkedAt = origin === null ? host.records.forkedAt(session, sessionId) : new Date().toISOString()
  const process = null
  const prompt = submitted === null ? null : adapter.fingerprint(submitted)
  const target = { fence, place: request.place, agent, sessionId, cwd, process }
  const launch = { ...target, transcriptFrom, prompt, forkedAt }
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
    placesWithAnsweredPages,
  }: CarriedTranscripts & {
    prompt: string | null
    handOver: string | null
    placesWithAnsweredPages: readonly Place[]
  },
): Promise<void> {
  const { session, sessionId, forkOf, fence, cwd, model } = request
  const plan = await adapter.planLaunch({
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
    placesWithAnsweredPages,
    launchDir: host.records.folder(session),
    reportDir: host.home.reports,
  })
  const script = writeLaunchScript(host.records.folder(session), fence, { ...plan, cwd })
  const argv = ['/bin/sh', script]
  await collectPendingInput(host, session)
  const hold = pendingInputCommand(host, session, fence)
  const pane = await host.tmux.spawn({ session, fence, cwd, argv, status: request.status, hold })
  const start = await processStart(pane.pid)
  host.records.saveLaunch(session, { ...launch, process: start === null ? null : { pid: pane.pid, start } })
}
