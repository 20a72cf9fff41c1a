/**
 * Input of a person that no agent has taken: a draft, texts in the program's queue, and keys pressed while no agent ran in the
 * pane. It stays on this host, in files of the session, and goes to the next process: sent texts are delivered, and unsent ones
 * are restored in the input line.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { z } from 'zod'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import { OddFileError } from '../../config/errors.js'
import { readOwnFile } from '../../config/state/ownFile.js'
import { readJson } from '../../config/state/readJson.js'
import { isMissing } from '../../policy/errorFacts.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import { endProcess, processStart } from '../../host/process/processes.js'
import type { LaunchRecord } from '../../host/state/sessionRecord.js'
import { noAgentFence, type Pane } from '../../host/tmux/panes.js'
import { DraftUnreadableError } from '../errors.js'
import { clearLine, leaveHistory, untilScreen } from './inputLine.js'
import { addTypedKeys, type Draft, dropDraft, savedDraft, writeDrafts } from './savedDraft.js'

const holdScript = fileURLToPath(new URL('../../host/tmux/hold.sh', import.meta.url))

/** Closing a menu and redrawing the input line takes a moment. */
const menuGoneWithin = 1_000
const pollEvery = 30
/** More than a person types or pastes. */
const textMaxBytes = 32 * 1024 * 1024
/** The program starts a shell for its editor. */
const editorTimeout = 10_000

const textsFolder = (host: Host, session: string): string => join(host.records.folder(session), 'texts')
const heldInputPrefix = 'held-'
/** For held input that is being collected. These names are unique; a `held-` name may be used again under the same fence. */
const collectedInputPrefix = 'collected-'
/** The folder in which the adapter's `editor.sh` writes a draft. */
const draftsFolder = 'drafts'

/** Texts are delivered in the order of their names: by the process to which they were typed, then by arrival. */
const textName = (fence: number, order: string): string => `${String(fence).padStart(15, '0')}-${order}`

/** The prompt with which a person started the session comes before everything that was typed later. */
export const firstPromptName = textName(0, 'prompt')

/**
 * To be called before the agent is stopped. What of the draft can't be read, such as a picture, is lost with the agent; with
 * `mustBeWhole` it throws DraftUnreadable instead.
 */
export async function saveDraft(
  host: Host,
  adapter: AgentAdapter,
  pane: Pane,
  { mustBeWhole = false }: { mustBeWhole?: boolean } = {},
): Promise<void> {
  // A draft can be there only if a person was ever attached.
  if (host.features.isOff(adapter.name, 'input-line')) {
    if (mustBeWhole && pane.visited !== 'never')
      throw new DraftUnreadableError(pane.session, { unknown: true })
    return
  }
  let screen = await host.tmux.colouredScreen(pane.id)
  // The limit menu hides the input line. If no person was ever attached, there is no draft, so the menu is left alone.
  if (pane.visited !== 'never' && closesOnEscape(adapter, screen)) {
    await host.tmux.press(pane.id, ['Escape'])
    screen = await untilScreen(host, pane.id, (now) => !closesOnEscape(adapter, now), menuGoneWithin)
  }
  screen = await leaveHistory(host, adapter, pane, screen)
  const savedBefore = savedDraft(host, pane.session)
  await extractDrafts(host, adapter, pane, screen, (drafts) => {
    if (mustBeWhole && drafts.some(({ isCut }) => isCut)) throw new DraftUnreadableError(pane.session)
    writeNewDrafts(host, adapter, pane, savedBefore, drafts)
  })
}

interface ReadDraft extends Draft {
  /** A part of it could not be read: the screen does not show it, or it is a picture. */
  isCut: boolean
}

function writeNewDrafts(
  host: Host,
  adapter: AgentAdapter,
  { session, fence }: Pane,
  older: Draft | null,
  drafts: readonly ReadDraft[],
): void {
  // A text that Outpool typed and that was not taken is delivered again, so it must not become a draft as well.
  const newDrafts = drafts.filter(
    ({ text, mode }) =>
      (text !== older?.text || mode !== older.mode) &&
      !host.records.wasTyped(session, fence, adapter.fingerprint(text)),
  )
  if (newDrafts.length > 0) writeDrafts(host, session, older === null ? newDrafts : [older, ...newDrafts])
}

/**
 * Saves the draft in the input line and the stashed one, the older first. Text is saved before it is deleted from the line, which
 * may be left in any state.
 */
async function extractDrafts(
  host: Host,
  adapter: AgentAdapter,
  pane: Pane,
  screen: string,
  save: (drafts: readonly ReadDraft[]) => void,
): Promise<void> {
  const inLine = await readFullDraft(host, adapter, pane, screen)
  const drafts = inLine === null ? [] : [inLine]
  save(drafts)
  // With a draft in the line, the same keys would stash it and so replace the stashed one.
  if (!adapter.hasStashedDraft(screen) || !(await clearLine(host, adapter, pane))) return
  await host.tmux.press(pane.id, adapter.stashKeys)
  const shown = await untilScreen(host, pane.id, (now) => adapter.readDraft(now) !== null)
  const stashed = await readFullDraft(host, adapter, pane, shown)
  if (stashed !== null) save([stashed, ...drafts])
}

/** The draft as the program gives it to its editor; if it does not do so in time, as the screen shows it. */
async function readFullDraft(
  host: Host,
  adapter: AgentAdapter,
  pane: Pane,
  screen: string,
): Promise<ReadDraft | null> {
  const shown = adapter.readDraft(screen)
  if (shown === null) return null
  const mode = adapter.readInputMode(screen) ?? 'words'
  const whole = host.features.isOff(adapter.name, 'editor') ? null : await exportedDraft(host, adapter, pane)
  const text = whole ?? shown
  const isCut = (whole === null && !adapter.showsWholeDraft(screen)) || adapter.hasPlaceholder(text)
  return { isCut, text: mode === 'shell' ? text.replace(/^!/, '').trimStart() : text, mode }
}

/** What the program gives to its editor; null if it gives nothing in time. */
async function exportedDraft(host: Host, adapter: AgentAdapter, pane: Pane): Promise<string | null> {
  const folder = join(host.records.folder(pane.session), draftsFolder)
  const file = join(folder, 'draft')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  rmSync(file, { force: true })
  writeFileAtomic(join(folder, 'wanted'), '')
  await host.tmux.press(pane.id, adapter.exportDraftKeys)
  const until = performance.now() + editorTimeout
  let exported: string | null = null
  while (exported === null && performance.now() < until) {
    await delay(pollEvery)
    exported = readIfThere(host, file)
  }
  rmSync(join(folder, 'wanted'), { force: true })
  rmSync(file, { force: true })
  // While the editor is open, the input line is not on the screen and accepts no keys.
  await untilScreen(host, pane.id, (now) => adapter.takesInput(now))
  return exported === null || exported.trim() === '' ? null : exported
}

const closesOnEscape = (adapter: AgentAdapter, screen: string): boolean =>
  adapter.readDialog(screen)?.safeKeys?.join(' ') === 'Escape'

/** The program that runs in a pane without an agent, and saves the keys that are pressed there for the next one. */
export const pendingInputCommand = (host: Host, session: string, fence: number): string[] => [
  '/bin/sh',
  holdScript,
  join(host.records.folder(session), `${heldInputPrefix}${fence}`),
]

/**
 * Saves the texts in the program's queue, which are lost with the process. To be called before the process is stopped, because
 * closing a menu empties the queue, and again after it has ended, to drop texts that the model still got.
 */
export async function saveQueuedTexts(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  transcript: string,
  { fence, transcriptFrom }: LaunchRecord,
): Promise<void> {
  const readTo = queueReadTo(host, session, fence)
  const { queued, prompts, offset } = await adapter.readTail(transcript, readTo ?? transcriptFrom)
  const prefix = textName(fence, 'queued-')
  const saved = pendingTexts(host, session).filter((name) => name.startsWith(prefix))
  // Prompts from before the first call drop nothing: people may send "continue" more than once.
  for (const prompt of readTo === null ? [] : prompts) {
    const print = adapter.fingerprint(prompt)
    const at = saved.findIndex((name) => adapter.fingerprint(readText(host, session, name) ?? '') === print)
    if (at >= 0) dropText(host, session, saved.splice(at, 1)[0] ?? '')
  }
  const from = saved.length === 0 ? 0 : Number(saved.at(-1)?.slice(prefix.length)) + 1
  queued.forEach((text, index) => {
    saveText(host, session, `${prefix}${String(from + index).padStart(3, '0')}`, text)
  })
  writeFileAtomic(queueFile(host, session), JSON.stringify({ fence, offset }))
}

const queueFile = (host: Host, session: string): string => join(host.records.folder(session), 'queue.json')
const queueSchema = z.object({ fence: z.number().int(), offset: z.number().int() })

/** How far the queue of this launch was read, in bytes; null if it was not. */
function queueReadTo(host: Host, session: string, fence: number): number | null {
  const progress = readJson(queueFile(host, session), queueSchema)
  return progress?.fence === fence ? progress.offset : null
}

/** Ends the program that saves typed keys, as late as possible, and collects what it saved. */
export async function collectPendingInput(host: Host, session: string): Promise<void> {
  const pane = await host.tmux.pane(session)
  const start = pane?.fence === noAgentFence && !pane.dead ? await processStart(pane.pid) : null
  if (pane && start !== null) await endProcess({ pid: pane.pid, start }, host.config.timing.stopGrace)
  const folder = host.records.folder(session)
  const filesWith = (prefix: string): string[] =>
    readdirSync(folder).filter((name) => name.startsWith(prefix))
  for (const name of filesWith(heldInputPrefix)) {
    const fence = Number(name.slice(heldInputPrefix.length))
    const collected = `${collectedInputPrefix}${textName(fence, `typed-${Date.now()}`)}`
    renameSync(join(folder, name), join(folder, collected))
  }
  // An earlier attempt may have been cut off before it removed the file: what it saved must not be saved twice.
  for (const name of filesWith(collectedInputPrefix).sort()) {
    const file = join(folder, name)
    const typed = printable(readIfThere(host, file) ?? '')
    const submitted = typed.slice(0, typed.lastIndexOf('\n') + 1).trim()
    const unsubmitted = typed.slice(typed.lastIndexOf('\n') + 1)
    if (submitted !== '') saveText(host, session, name.slice(collectedInputPrefix.length), submitted)
    addTypedKeys(host, session, unsubmitted, name)
    rmSync(file, { force: true })
  }
}

/**
 * Null if there is none. A file that Outpool cannot have written is set aside, so that it does not keep the session from starting. Any
 * other failure is thrown: a text that can't be read at this moment was not taken.
 */
function readIfThere(host: Host, file: string): string | null {
  try {
    return readOwnFile(file, textMaxBytes)
  } catch (error) {
    if (error instanceof OddFileError) host.oddFiles.setAside(file, `it is ${error.oddity}`)
    else if (!isMissing(error)) throw error
    return null
  }
}

/** Removes arrow keys and the like, which have no meaning without their input line. */
const printable = (keys: string): string => stripVTControlCharacters(keys).replaceAll(/[^\P{Cc}\n\t]/gu, '')

export function saveText(host: Host, session: string, name: string, text: string): void {
  mkdirSync(textsFolder(host, session), { recursive: true, mode: 0o700 })
  writeFileAtomic(join(textsFolder(host, session), name), text)
}

/** Names of the pending texts, in order. */
export function pendingTexts(host: Host, session: string): string[] {
  try {
    return readdirSync(textsFolder(host, session))
      .filter((name) => /^\d+-[a-z0-9-]+$/.test(name))
      .sort()
  } catch {
    return []
  }
}

/** Null if the text was taken already. */
export function readText(host: Host, session: string, name: string): string | null {
  return readIfThere(host, join(textsFolder(host, session), name))
}

export function dropText(host: Host, session: string, name: string): void {
  rmSync(join(textsFolder(host, session), name), { force: true })
}

/** Restores the draft in the input line once, without sending it. If the line is not free, the draft is kept for later. */
export async function restoreDraft(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  pane: string,
): Promise<void> {
  const draft = savedDraft(host, session)
  if (draft === null || host.features.isOff(adapter.name, 'input-line')) return
  const screen = await untilScreen(
    host,
    pane,
    (now) => adapter.takesInput(now) || adapter.readDialog(now) !== null,
  )
  if (!adapter.takesInput(screen) || adapter.readDraft(screen) !== null) return
  if (draft.mode === 'shell' && adapter.readInputMode(screen) !== 'shell') {
    await host.tmux.press(pane, adapter.enterShellModeKeys)
    await untilScreen(host, pane, (now) => adapter.readInputMode(now) === 'shell')
  }
  await host.tmux.paste(pane, adapter.toPortableDraft(draft.text, draft.mode))
  // The draft has to be visible before anything else is typed, which would otherwise be sent together with it.
  await untilScreen(host, pane, (now) => adapter.readDraft(now) !== null)
  // Deleted last: if the worker is killed before this, the next one sees the draft in the line; after this, there is no copy.
  dropDraft(host, session)
}
