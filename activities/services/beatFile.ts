/** Reads a service's heartbeat file. What its content proves is decided in policy/service/beats.ts. */
import { open, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { parseJsonAs } from '../../policy/parseJson.js'
import type { BeatReading } from '../../policy/service/beats.js'

/** A heartbeat is one line; a longer file is something else and is not read. */
const beatMaxBytes = 64 * 1024
const doingMaxChars = 200

const beatSchema = z.object({
  by: z.string(),
  pid: z.number().int().positive(),
  at: z.iso.datetime({ offset: true }),
  doing: z.string().nullish(),
})

export async function readBeat(file: string): Promise<BeatReading> {
  try {
    const info = await stat(file)
    if (!info.isFile()) return { kind: 'unreadable', why: `${file} is not a regular file` }
    const touchedAt = info.mtime.toISOString()
    const beat = parseJsonAs(await firstBytes(file), beatSchema)
    if (beat !== null) {
      const { by, pid, at, doing } = beat
      return {
        kind: 'beat',
        beat: { by, pid, at: new Date(at).toISOString(), doing: doing?.slice(0, doingMaxChars) ?? null },
      }
    }
    return { kind: 'touched', touchedAt }
  } catch (error) {
    return isMissing(error)
      ? { kind: 'absent' }
      : { kind: 'unreadable', why: `${file} cannot be read (${codeOf(error)})` }
  }
}

/** Why no process could write a heartbeat to this file now; null if it can be written. */
export async function reasonBeatBlocked(file: string): Promise<string | null> {
  const disk = await statfs(dirname(file)).catch(() => null)
  if (disk === null) return null
  const isFull = disk.bavail === 0 || (disk.files > 0 && disk.ffree === 0)
  return isFull ? `the disk of ${file} is full` : null
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(beatMaxBytes + 1), 0, beatMaxBytes + 1, 0)
    return bytesRead > beatMaxBytes ? '' : buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error)
