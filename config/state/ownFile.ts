/**
 * Reads files that other processes write into Outpool's folders, and checks these folders. A file is opened without following a link
 * and without waiting for the other end of a pipe, and is read only if it is a regular file of this user and not too large.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  type Stats,
} from 'node:fs'
import { type FileFacts, type Oddity, oddityOfFile, oddityOfFolder } from '../../policy/fileTrust.js'
import { OddFileError } from '../errors.js'
import { errorCode } from '../../policy/errorFacts.js'

/** No record, report or state file of Outpool comes near this size. Bytes. */
const usualMax = 8 * 1024 * 1024

const reading = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The text of the file. Throws OddFileError, and the system's errors as they are. */
export const readOwnFile = (path: string, maxBytes = usualMax): string =>
  readOwnBytes(path, maxBytes).toString('utf8')

/** As `readOwnFile`. */
export function readOwnBytes(path: string, maxBytes: number): Buffer {
  const file = openForReading(path)
  try {
    const oddity = oddityOfFile(factsOf(fstatSync(file)), ownUid(), maxBytes)
    if (oddity !== null) throw new OddFileError(path, oddity)
    return readUpTo(file, path, maxBytes)
  } finally {
    closeSync(file)
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, reading)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ELOOP' || code === 'EMLINK') throw new OddFileError(path, 'a link')
    // A socket can't be opened, and a folder not on every system.
    if (code === 'ENXIO' || code === 'EISDIR' || code === 'EOPNOTSUPP')
      throw new OddFileError(path, 'no regular file')
    throw error
  }
}

/** Another process may be writing, so the end is where nothing more is read, and not the size from before. */
function readUpTo(file: number, path: string, maxBytes: number): Buffer {
  const chunks: Buffer[] = []
  for (let total = 0; ;) {
    const chunk = Buffer.alloc(Math.min(64 * 1024, maxBytes - total + 1))
    const count = readSync(file, chunk)
    if (count === 0) return Buffer.concat(chunks)
    total += count
    if (total > maxBytes) throw new OddFileError(path, 'too large')
    chunks.push(chunk.subarray(0, count))
  }
}

/** What is wrong with what is at this path, as it stands there (a link is not followed); null if nothing is, or if it is missing. */
export function oddityAt(path: string, as: 'file' | 'folder', maxBytes = usualMax): Oddity | null {
  const info = lstatSync(path, { throwIfNoEntry: false })
  if (info === undefined) return null
  const facts = factsOf(info)
  return as === 'folder' ? oddityOfFolder(facts, ownUid()) : oddityOfFile(facts, ownUid(), maxBytes)
}

/** Whether it is a socket of this user that no other may use. The folder in which it lies has to be checked too. */
export function isOwnSocket(path: string): boolean {
  const info = lstatSync(path, { throwIfNoEntry: false })
  if (info?.isSocket() !== true || (info.mode & 0o077) !== 0) return false
  return ownUid() === null || info.uid === ownUid()
}

/**
 * Makes the folder, or checks the one that is there: of this user, no link, and closed to all others whatever the umask. Throws
 * OddFileError.
 */
export function ownFolder(path: string): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
  const oddity = oddityAt(path, 'folder')
  // Its owner is this user, so its mode can be corrected.
  if (oddity !== null && oddity !== 'writable by others') throw new OddFileError(path, oddity)
  if ((lstatSync(path).mode & 0o777) !== 0o700) chmodSync(path, 0o700)
}

const ownUid = (): number | null => process.getuid?.() ?? null

const factsOf = (info: Stats): FileFacts => ({
  kind: info.isFile() ? 'file' : info.isDirectory() ? 'folder' : info.isSymbolicLink() ? 'link' : 'other',
  uid: info.uid,
  mode: info.mode,
  size: info.size,
})
