/**
 * What a person typed and no agent has taken: a draft, texts in the program's own waiting line, keys pressed while no
 * agent stood in the pane. It stays on this host, in files of the session's, and goes to the next process: what was sent
 * is delivered as a text, what was not stands in the input line again.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { z } from 'zod'
import type { AgentAdapter } from '../../agents/agent.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import { endProcess, processStart } from '../../host/process/processes.js'
import type { LaunchRecord } from '../../host/state/sessionRecords.js'
import { noAgentFence, type Pane } from '../../host/tmux/panes.js'
import { addTypedKeys, type Draft, dropDraft, savedDraft, writeDrafts } from './savedDraft.js'

const holdScript = fileURLToPath(new URL('../../host/tmux/hold.sh', import.meta.url))

/** A menu takes a moment to go, and the input line to be drawn again. */
const menuGoneWithin = 1_000
const pollEvery = 30
/** An agent that says it is up may still have to draw its input line. */
const lineDrawnWithin = 5_000
/** Each press takes about a line of a draft. */
const maxClearPresses = 200
/** The program starts a shell for its editor. */
const editorTimeout = 10_000

const textsFolder = (host: Host, session: string): string => join(host.records.folder(session), 'texts')
const heldInputPrefix = 'held-'
/** Of held input that is being collected. Its names are unique, unlike those with `held-`, of which one fence may have several. */
const collectedInputPrefix = 'collected-'
/** Where `editor.sh` leaves a draft; the adapter says so. */
const draftsFolder = 'drafts'

/** Texts are taken in the order of their names: by the process they were typed to, then as they came. */
const textName = (fence: number, order: string): string => `${String(fence).padStart(15, '0')}-${order}`

/** To be called before the agent is stopped. */
export async function saveDraft(host: Host, adapter: AgentAdapter, pane: Pane): Promise<void> {
  const shown = (): Promise<string> => host.tmux.colouredScreen(pane.id)
  let screen = await shown()
  // The limit menu stands before the input line. Where nobody ever was, nobody typed, and no time is spent on it.
  if (pane.visited !== 'never' && closesOnEscape(adapter, screen)) {
    await host.tmux.press(pane.id, ['Escape'])
    const until = performance.now() + menuGoneWithin
    while (closesOnEscape(adapter, screen) && performance.now() < until) {
      await delay(pollEvery)
      screen = await shown()
    }
  }
  const savedBefore = savedDraft(host, pane.session)
  await extractDrafts(host, adapter, pane, screen, (drafts) =>
    writeNewDrafts(host, adapter, pane, savedBefore, drafts),
  )
}

function writeNewDrafts(
  host: Host,
  adapter: AgentAdapter,
  { session, fence }: Pane,
  older: Draft | null,
  drafts: readonly Draft[],
): void {
  // A text of ours that was not taken is delivered again, and must not come back as a draft as well.
  const newDrafts = drafts.filter(
    ({ text, mode }) =>
      (text !== older?.text || mode !== older.mode) &&
      !host.records.wasTyped(session, fence, adapter.fingerprint(text)),
  )
  if (newDrafts.length > 0) writeDrafts(host, session, older === null ? newDrafts : [older, ...newDrafts])
}

/**
 * Saves the draft in the line, and the one that was put aside before it, whole, the older first: what is taken out of the line
 * has been saved before. Leaves the line as it may.
 */
async function extractDrafts(
  host: Host,
  adapter: AgentAdapter,
  pane: Pane,
  screen: string,
  save: (drafts: readonly Draft[]) => void,
): Promise<void> {
  const inLine = await readFullDraft(host, adapter, pane, screen)
  const drafts = inLine === null ? [] : [inLine]
  save(drafts)
  // With a draft in the line, the same keys would put it in the place of the one before.
  if (!adapter.hasStashedDraft(screen) || !(await clearLine(host, adapter, pane))) return
  await host.tmux.press(pane.id, adapter.stashKeys)
  const shown = await untilScreen(host, pane.id, (now) => adapter.readDraft(now) !== null)
  const stashed = await readFullDraft(host, adapter, pane, shown)
  if (stashed !== null) save([stashed, ...drafts])
}

/** True once the input line is there, empty, and takes words. */
export async function clearLine(host: Host, adapter: AgentAdapter, pane: Pane): Promise<boolean> {
  for (let presses = 0; presses < maxClearPresses; presses++) {
    const screen = await untilScreen(host, pane.id, (shown) => adapter.takesInput(shown))
    if (!adapter.takesInput(screen)) return false
    const isEmpty = adapter.readDraft(screen) === null
    if (isEmpty && adapter.readInputMode(screen) === 'words') return true
    await host.tmux.press(pane.id, isEmpty ? adapter.exitShellModeKeys : adapter.clearDraftKeys)
    await delay(pollEvery)
  }
  return false
}

/** What the program gives to its editor; what the screen shows of it where the program gives nothing in time. */
async function readFullDraft(
  host: Host,
  adapter: AgentAdapter,
  pane: Pane,
  screen: string,
): Promise<Draft | null> {
  const shown = adapter.readDraft(screen)
  if (shown === null) return null
  const mode = adapter.readInputMode(screen) ?? 'words'
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
    exported = readIfThere(file)
  }
  rmSync(join(folder, 'wanted'), { force: true })
  rmSync(file, { force: true })
  // While its editor is open, the program's input line is not on the screen, and takes no key.
  await untilScreen(host, pane.id, (now) => adapter.takesInput(now))
  const text = exported === null || exported.trim() === '' ? shown : exported
  return { text: mode === 'shell' ? text.replace(/^!/, '').trimStart() : text, mode }
}

async function untilScreen(host: Host, pane: string, fits: (screen: string) => boolean): Promise<string> {
  const until = performance.now() + lineDrawnWithin
  for (;;) {
    const screen = await host.tmux.colouredScreen(pane)
    if (fits(screen) || performance.now() > until) return screen
    await delay(pollEvery)
  }
}

const closesOnEscape = (adapter: AgentAdapter, screen: string): boolean =>
  adapter.readDialog(screen)?.safeKeys?.join(' ') === 'Escape'

/** What to run in a pane while no agent is there: keys that are pressed there are kept for the next one. */
export const pendingInputCommand = (host: Host, session: string, fence: number): string[] => [
  '/bin/sh',
  holdScript,
  join(host.records.folder(session), `${heldInputPrefix}${fence}`),
]

/**
 * Texts that the process of this launch holds in its own waiting line: they die with it. Asked for before it is stopped,
 * since leaving a menu makes it take them out, and once more when it has ended: what it still said is dropped again.
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
  // What was said before the first look is no reason to drop anything: people say "continue" more than once.
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

/** How far the queue of this launch was read, bytes; null where it was not. */
function queueReadTo(host: Host, session: string, fence: number): number | null {
  try {
    const progress = queueSchema.parse(JSON.parse(readIfThere(queueFile(host, session)) ?? ''))
    return progress.fence === fence ? progress.offset : null
  } catch {
    return null
  }
}

/** Ends what keeps the pane, as late as can be, and takes over what it kept. */
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
  // An earlier attempt may have come as far as the removal of the file: what it has saved is not to be saved twice.
  for (const name of filesWith(collectedInputPrefix).sort()) {
    const file = join(folder, name)
    const typed = printable(readFileSync(file, 'utf8'))
    const submitted = typed.slice(0, typed.lastIndexOf('\n') + 1).trim()
    const unsubmitted = typed.slice(typed.lastIndexOf('\n') + 1)
    if (submitted !== '') saveText(host, session, name.slice(collectedInputPrefix.length), submitted)
    addTypedKeys(host, session, unsubmitted, name)
    rmSync(file)
  }
}

/** Arrow keys and the like mean nothing without the line that they were pressed in. */
const printable = (keys: string): string => stripVTControlCharacters(keys).replaceAll(/[^\P{Cc}\n\t]/gu, '')

export function saveText(host: Host, session: string, name: string, text: string): void {
  mkdirSync(textsFolder(host, session), { recursive: true, mode: 0o700 })
  writeFileAtomic(join(textsFolder(host, session), name), text)
}

/** Names of the texts that wait here, in order. */
export function pendingTexts(host: Host, session: string): string[] {
  try {
    return readdirSync(textsFolder(host, session))
      .filter((name) => /^\d+-[a-z0-9-]+$/.test(name))
      .sort()
  } catch {
    return []
  }
}

/** Null for a text that does not wait any more: it was taken. */
export function readText(host: Host, session: string, name: string): string | null {
  return readIfThere(join(textsFolder(host, session), name))
}

export function dropText(host: Host, session: string, name: string): void {
  rmSync(join(textsFolder(host, session), name), { force: true })
}

/** Types a draft into the input line, unsent, once. Where there is no free input line it is kept for later. */
export async function restoreDraft(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  pane: string,
): Promise<void> {
  const draft = savedDraft(host, session)
  if (draft === null) return
  const until = performance.now() + lineDrawnWithin
  let screen = await host.tmux.colouredScreen(pane)
  while (!adapter.takesInput(screen)) {
    if (adapter.readDialog(screen) !== null || performance.now() > until) return
    await delay(pollEvery)
    screen = await host.tmux.colouredScreen(pane)
  }
  if (adapter.readDraft(screen) !== null) return
  if (draft.mode === 'shell' && adapter.readInputMode(screen) !== 'shell') {
    await host.tmux.press(pane, adapter.enterShellModeKeys)
    await untilScreen(host, pane, (now) => adapter.readInputMode(now) === 'shell')
  }
  await host.tmux.paste(pane, adapter.toPortableDraft(draft.text, draft.mode))
  // Whoever looks at the line next has to see it: a text that is typed behind it would send it along.
  const drawnBy = performance.now() + lineDrawnWithin
  while (adapter.readDraft(await host.tmux.colouredScreen(pane)) === null && performance.now() < drawnBy)
    await delay(pollEvery)
  // Only now: a worker that is killed before finds it in the line, and one that is killed after finds no second one.
  dropDraft(host, session)
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
