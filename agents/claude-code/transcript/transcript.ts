/** Finding a conversation's transcript and reading what was added to it. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Answer, Place, TranscriptTail } from '../../agent.js'
import { isSessionId, projectsFolder, resolved } from '../paths.js'
import { isProgramText, readRow } from './entries.js'
import { unwrapped } from '../screen/text.js'
import { eachLine } from './lines.js'
import { faultOf } from '../limits/wall.js'

/** Enough to prove that a text was taken, however long the conversation. */
const promptsMax = 1000

/** Every copy of the conversation below this place's projects, whatever the folder; the newest first. */
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
  return newest === undefined ? null : resolved(newest)
}

/** Reads whole lines from `offset` (bytes) on; `prompts` holds the newest thousand. */
export async function readTail(
  transcript: string,
  offset: number,
  since: string | null = null,
): Promise<TranscriptTail> {
  const tail: TranscriptTail = {
    ...{ offset, last: null, prompts: [], entered: [], queued: [], commands: [], blocked: [] },
  }
  const queue = new PromptQueue()
  tail.offset = await eachLine(transcript, offset, (line) => {
    if (since === null || !isBefore(line, since)) takeLine(line, tail, queue)
  })
  tail.queued = queue.texts.filter((text) => !isProgramText(text)).map(unwrapped)
  return tail
}

const timedSchema = z.looseObject({ timestamp: z.iso.datetime({ offset: true }) })

/** Rows without a time say nothing of turns. */
function isBefore(line: string, since: string): boolean {
  try {
    const row = timedSchema.safeParse(JSON.parse(line)).data
    return row !== undefined && Date.parse(row.timestamp) < Date.parse(since)
  } catch {
    return false
  }
}

/** The newest text that the model said to its user from `offset` (bytes) on; null where it said none. */
export async function lastAnswer(transcript: string, offset: number): Promise<Answer | null> {
  let answer: Answer | null = null
  await eachLine(transcript, offset, (line) => {
    const row = readRow(line)
    if (row?.kind === 'answer' && row.text !== '') answer = { text: row.text, at: row.at }
  })
  return answer
}

function takeLine(line: string, tail: TranscriptTail, queue: PromptQueue): void {
  const row = readRow(line)
  if (row === null) return
  if (row.kind === 'queue') {
    queue.moved(row)
    if (row.move === 'joins' && row.text !== null && !isProgramText(row.text)) keep(tail.entered, row.text)
    return
  }
  if (row.kind === 'command') {
    tail.commands.push({ refusal: row.refusal })
    return
  }
  if (row.kind === 'blocked') {
    tail.blocked.push({ reason: row.reason })
    return
  }
  queue.wentOn()
  if (row.kind === 'fault') tail.last = { kind: 'fault', fault: faultOf(row.row) }
  else if (row.kind === 'answer') tail.last = { kind: 'answer', at: row.at }
  else {
    keep(tail.prompts, row.text)
    keep(tail.entered, row.text)
  }
}

function keep(prompts: string[], text: string): void {
  prompts.push(text)
  if (prompts.length > promptsMax) prompts.shift()
}

/** The texts that were sent while the agent worked, as the rows tell of them: a person's, and the program's own news. */
class PromptQueue {
  readonly #waiting: string[] = []
  /** Out of the line, and in no row of the conversation yet: a process that ends between the two takes it along. */
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

  /** What was taken out of the line stands in the next row of the main thread. */
  wentOn(): void {
    this.#taken = null
  }
}
