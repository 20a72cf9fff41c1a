/**
 * Opens files of agent programs, and of the projects they work in, whose authors may be strangers: a pipe would block the whole
 * process, and a device such as /dev/zero has no end.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** Larger than any settings file or state file. Transcripts are read in pieces instead. Bytes. */
const textMaxBytes = 64 * 1024 * 1024

const reading = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * Only a regular file; otherwise it throws an error with the code EINVAL. A link is followed, because people link settings and config
 * dirs. Throws the system's errors as they are.
 */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, reading)
  const info = await file.stat().catch(() => null)
  if (info?.isFile() === true) return file
  await file.close()
  throw notRegular(path)
}

/** The text of a regular file that is not too large. Throws as `openRegular` does. */
export async function readRegular(path: string): Promise<string> {
  const file = await openRegular(path)
  try {
    if ((await file.stat()).size > textMaxBytes) throw tooLarge(path)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** As `readRegular`. */
export function readRegularSync(path: string): string {
  const file = openSync(path, reading)
  try {
    const info = fstatSync(file)
    if (!info.isFile()) throw notRegular(path)
    if (info.size > textMaxBytes) throw tooLarge(path)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

const notRegular = (path: string): Error => withCode(`${path} is not a regular file`, 'EINVAL')
const tooLarge = (path: string): Error => withCode(`${path} is too large`, 'EFBIG')

const withCode = (message: string, code: string): Error => Object.assign(new Error(message), { code })
