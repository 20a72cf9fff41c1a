/** Reads a service's heartbeat file. What its content proves is decided in policy/service/beats.ts. */
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { openRegular } from '../../agents/files.js'
import { parseJsonAs } from '../../policy/parseJson.js'
import type { BeatReading } from '../../policy/service/beats.js'
import { errorCode, isMissing } from '../../policy/errorFacts.js'

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
    const { text, touchedAt } = await firstBytes(file)
    const beat = parseJsonAs(text, beatSchema)
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
      : { kind: 'unreadable', why: reasonUnreadable(file, errorCode(error) ?? String(error)) }
  }
}

/** Why no process could write a heartbeat to this file now; null if it can be written. */
export async function reasonBeatBlocked(file: string): Promise<string | null> {
  const disk = await statfs(dirname(file)).catch(() => null)
  if (disk === null) return null
  const isFull = disk.bavail === 0 || (disk.files > 0 && disk.ffree === 0)
  return isFull ? `the disk of ${file} is full` : null
}

/** The text is empty if the file is longer than a heartbeat. */
async function firstBytes(path: string): Promise<{ text: string; touchedAt: string }> {
  const file = await openRegular(path)
  try {
    const touchedAt = (await file.stat()).mtime.toISOString()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(beatMaxBytes + 1), 0, beatMaxBytes + 1, 0)
    return { text: bytesRead > beatMaxBytes ? '' : buffer.toString('utf8', 0, bytesRead), touchedAt }
  } finally {
    await file.close()
  }
}

/** A folder, a pipe and a device have the code EINVAL, a socket has ENXIO. */
const reasonUnreadable = (file: string, code: string): string =>
  code === 'EINVAL' || code === 'ENXIO' ? `${file} is not a regular file` : `${file} cannot be read (${code})`
