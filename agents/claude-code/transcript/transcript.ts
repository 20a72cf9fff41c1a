/** Finds a conversation's transcript, and reads what was added to it. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { Place } from '../../adapter/place.js'
import type { Answer, TranscriptTail } from '../../adapter/transcript.js'
import { isSessionId, projectsFolder, resolveRealPath } from '../paths.js'
import { isProgramText, parseEntry } from './entries.js'
import { unwrapPaste } from '../screen/text.js'
import { eachLine } from './lines.js'
import { classifyFailure } from '../limits/wall.js'

/** Enough to prove that a text was taken, however long the conversation. */
const promptsMax = 1000

/** Every copy of the conversation in any project folder of this place, the newest first. */
export async function transcriptsOf(place: Place, sessionId: string): Promise<string[]> {
  if (!isSessionId(sessionId)) return []
  const projects = projectsFolder(place)
  const folders = await readdir(projects).catch(() => [])
  const found = await Promise.all(
    folders.map(async (folder) => {
      const file = join(projects, folder, `${sessionId}.jsonl`)
      const info = await stat(file).catch(() => null)
      return info?.isFile() === true ? [{ file, changed: info.mtimeMs }] : []
    }),
  )
  return found
    .flat()
    .sort((a, b) => b.changed - a.changed)
    .map(({ file }) => file)
}

/** The real path of the transcript, or null. */
export async function findTranscript(place: Place, sessionId: string): Promise<string | null> {
  const [newest] = await transcriptsOf(place, sessionId)
  return newest === undefined ? null : resolveRealPath(newest)
}

/** Reads whole lines from `offset` (bytes) on; `prompts` holds the newest thousand. */
export async function readTail(
  transcript: string,
  offset: number,
  since: string | null = null,
): Promise<TranscriptTail> {
  const tail: TranscriptTail = {
    offset,
    last: null,
    prompts: [],
    entered: [],
    queued: [],
    commands: [],
    blocked: [],
  }
  const queue = new PromptQueue()
  tail.offset = await eachLine(transcript, offset, (line) => {
    if (since === null || !isBefore(line, since)) applyLine(line, tail, queue)
  })
  tail.queued = queue.texts.filter((text) => !isProgramText(text)).map(unwrapPaste)
  return tail
}

const timedSchema = z.looseObject({ timestamp: z.iso.datetime({ offset: true }) })

/** Entries without a timestamp are not about turns. */
function isBefore(line: string, since: string): boolean {
  const entry = parseJsonAs(line, timedSchema)
  return entry !== null && Date.parse(entry.timestamp) < Date.parse(since)
}

/** The model's newest text for its user from `offset` (bytes) on; null if there is none. */
export async function readLastAnswer(transcript: string, offset: number): Promise<Answer | null> {
  let answer: Answer | null = null
  await eachLine(transcript, offset, (line) => {
    const entry = parseEntry(line)
    if (entry?.kind === 'answer' && entry.text !== '') answer = { text: entry.text, at: entry.at }
  })
  return answer
}

function applyLine(line: string, tail: TranscriptTail, queue: PromptQueue): void {
  const entry = parseEntry(line)
  if (entry === null) return
  if (entry.kind === 'queue') {
    queue.moved(entry)
    if (entry.move === 'joins' && entry.text !== null && !isProgramText(entry.text))
      appendBounded(tail.entered, entry.text)
    return
  }
  if (entry.kind === 'command') {
    tail.commands.push({ refusal: entry.refusal })
    return
  }
  if (entry.kind === 'blocked') {
    if (entry.isKept) tail.entered.pop()
    tail.blocked.push({ reason: entry.reason })
    return
  }
  if (entry.kind === 'stopped') {
    tail.last = { kind: 'stopped', hook: entry.hook, reason: entry.reason }
    return
  }
  queue.wentOn()
  if (entry.kind === 'failure') tail.last = { kind: 'failure', failure: classifyFailure(entry.error) }
  else if (entry.kind === 'answer') tail.last = { kind: 'answer', at: entry.at }
  else {
    appendBounded(tail.prompts, entry.text)
    appendBounded(tail.entered, entry.text)
  }
}

function appendBounded(prompts: string[], text: string): void {
  prompts.push(text)
  if (prompts.length > promptsMax) prompts.shift()
}

/** The queue of texts that were sent while the agent worked, from a person or the program itself, rebuilt from the entries. */
class PromptQueue {
  readonly #waiting: string[] = []
  /** Taken from the queue, but not in the conversation yet. It is lost if the process ends in between. */
  #taken: string | null = null

  get texts(): string[] {
    return this.#taken === null ? this.#waiting : [this.#taken, ...this.#waiting]
  }

  moved({ move, text }: { move: 'joins' | 'taken' | 'leaves'; text: string | null }): void {
    if (move === 'joins') {
      if (text !== null) this.#waiting.push(text)
      return
    }
    const at = text === null ? 0 : this.#waiting.indexOf(text)
    const [gone = null] = at < 0 ? [] : this.#waiting.splice(at, 1)
    if (move === 'taken') this.#taken = gone
  }

  /** The next entry of the main thread contains the text that was taken from the queue. */
  wentOn(): void {
    this.#taken = null
  }
}
