/** Finding a conversation's transcript and reading what was added to it. */
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place, TranscriptTail } from '../agent.js'
import { isSessionId, projectsFolder, resolved } from './paths.js'
import { readRow } from './rows.js'
import { faultOf } from './wall.js'

const chunkBytes = 256 * 1024

/** A longer line can only be a tool's output or a pasted file; it is passed over, so that memory stays bounded. */
const lineMaxBytes = 16 * 1024 * 1024

/** Enough to prove that a text was taken, however long the conversation. */
const promptsMax = 1000

const newline = 0x0a

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

/**
 * Reads whole lines from `offset` (bytes) on. A file that is not there yet, or is shorter than the offset, says nothing new.
 * `prompts` holds the newest thousand.
 */
export async function readTail(transcript: string, offset: number): Promise<TranscriptTail> {
  const tail: TranscriptTail = { offset, last: null, prompts: [], queued: [] }
  const file = await open(transcript, 'r').catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
  if (file === null) return tail
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let pending: Buffer[] = []
    let pendingBytes = 0
    let position = offset
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunkBytes, position)
      if (bytesRead === 0) return tail
      let from = 0
      for (
        let end = chunk.indexOf(newline);
        end >= 0 && end < bytesRead;
        end = chunk.indexOf(newline, from)
      ) {
        const piece = chunk.subarray(from, end)
        if (pendingBytes + piece.length <= lineMaxBytes)
          takeLine(Buffer.concat([...pending, piece]).toString('utf8'), tail)
        pending = []
        pendingBytes = 0
        from = end + 1
        tail.offset = position + from
      }
      pendingBytes += bytesRead - from
      if (pendingBytes <= lineMaxBytes) pending.push(Buffer.from(chunk.subarray(from, bytesRead)))
      else pending = []
      position += bytesRead
    }
  } finally {
    await file.close()
  }
}

function takeLine(line: string, tail: TranscriptTail): void {
  const row = readRow(line)
  if (row === null) return
  if (row.kind === 'fault') tail.last = { kind: 'fault', fault: faultOf(row.row) }
  else if (row.kind === 'answer') tail.last = { kind: 'answer', at: row.at }
  else if (row.kind === 'queue') queueMoved(row, tail)
  else {
    tail.prompts.push(row.text)
    if (tail.prompts.length > promptsMax) tail.prompts.shift()
  }
}

function queueMoved(
  { joins, text }: { joins: boolean; text: string | null },
  { queued }: TranscriptTail,
): void {
  if (joins) {
    if (text !== null) queued.push(text)
    return
  }
  const at = text === null ? 0 : queued.indexOf(text)
  if (at >= 0) queued.splice(at, 1)
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
