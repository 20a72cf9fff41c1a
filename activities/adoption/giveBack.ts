/** Starts a person's agent again where it was, after Outpool has ended it and could not start it itself. */
import { setTimeout as delay } from 'node:timers/promises'
import { adopterOf } from '../../agents/index.js'
import { placeAt } from '../../host/adoption/inspect.js'
import type { Host } from '../../host/host.js'
import { writeLaunchScript } from '../../host/process/launchScript.js'
import type { AdoptionRecord } from '../../host/state/adoptions.js'
import { PersonTmux } from '../../host/tmux/personTmux.js'
import { dropDraft, savedDraft } from '../session/savedDraft.js'
import type { AdoptionRequest, ReturnRequest, ReturnResult } from './contracts.js'
import { runInPane } from './terminal.js'

const pollEvery = 200

/** Named like the script of a launch, whose fence no launch has. */
const scriptNumber = 0

export async function returnAgent(host: Host, request: ReturnRequest): Promise<ReturnResult> {
  const { session, agent } = request
  return host.records.runExclusive(session, async () => {
    const record = host.adoptions.of(session)
    if (record === null || record.state === 'settled') return { kind: 'not-returned' }
    if (record.state === 'waiting') {
      if (request.isOver) host.adoptions.remove(session)
      return { kind: 'untouched' }
    }
    if (record.process === null || record.terminal?.kind !== 'tmux') return { kind: 'not-returned' }
    // A started program that is not seen yet would be started twice: it is started at most once, and then only waited for.
    if (record.state === 'taken' && !(await isHeld(host, agent, record))) {
      host.adoptions.save(session, { ...record, state: 'returning' })
      if (!(await startAgain(host, request, record, record.terminal))) return { kind: 'not-returned' }
    }
    if (!(await isHeldWithin(host, agent, record, host.config.timing.startWithin)))
      return { kind: 'not-returned' }
    await restoreDraft(host, session, agent, record.terminal)
    host.adoptions.remove(session)
    return { kind: 'returned' }
  })
}

async function startAgain(
  host: Host,
  { session, agent }: AdoptionRequest,
  record: AdoptionRecord,
  terminal: Extract<AdoptionRecord['terminal'], { kind: 'tmux' }>,
): Promise<boolean> {
  const { argv, env, sessionId, model, args, cwd } = record
  const command = adopterOf(agent)?.resumeCommand(argv, { sessionId, model, args: args ?? [] })
  if (command === undefined) return false
  const script = writeLaunchScript(host.records.folder(session), scriptNumber, {
    argv: command,
    env: env ?? {},
    cwd,
  })
  return runInPane(terminal, cwd, script, false)
}

/** Whether a live process has the conversation open. */
async function isHeld(
  host: Host,
  agent: string,
  { sessionId, transcript }: AdoptionRecord,
): Promise<boolean> {
  const adapter = host.adapter(agent)
  for (const place of [...host.allPlaces(), placeAt(adapter.configDirOf(transcript))])
    if ((await adapter.readLiveStates(place, { sessionId })).length > 0) return true
  return false
}

async function isHeldWithin(
  host: Host,
  agent: string,
  record: AdoptionRecord,
  within: number,
): Promise<boolean> {
  const until = performance.now() + within
  for (;;) {
    if (await isHeld(host, agent, record)) return true
    if (performance.now() > until) return false
    await delay(pollEvery)
  }
}

/** If the line is not free, the draft stays in the folder of the session. */
async function restoreDraft(
  host: Host,
  session: string,
  agent: string,
  { socket, pane }: Extract<AdoptionRecord['terminal'], { kind: 'tmux' }>,
): Promise<void> {
  const draft = savedDraft(host, session)
  if (draft === null) return
  const adapter = host.adapter(agent)
  const tmux = new PersonTmux(socket)
  const screen = (await tmux.colouredScreen(pane)) ?? ''
  if (!adapter.takesInput(screen) || adapter.readDraft(screen) !== null) return
  await tmux.paste(pane, adapter.toPortableDraft(draft.text, draft.mode))
  dropDraft(host, session)
}
