/** Replaces a file so that a reader sees either the old or the new content, even after a crash or on a full disk. */
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

export interface ReplaceOptions {
  /** Of the new file, whatever the umask. Default: 0600. */
  mode?: number
  /** False saves the waiting for the disk, for what is written again soon. Default: true. */
  isDurable?: boolean
}

let counter = 0

/**
 * The content, and the name, are on disk when it returns. A link at `path` is replaced by a file. Throws the system's error if not
 * all could be written; the old file is there then, and nothing is left behind.
 */
export function replaceFile(
  path: string,
  content: string,
  { mode = 0o600, isDurable = true }: ReplaceOptions = {},
): void {
  const temporary = `${path}.${process.pid}.${++counter}.tmp`
  try {
    writeNew(temporary, Buffer.from(content), { mode, isDurable })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  if (isDurable) syncFolder(dirname(path))
}

function writeNew(path: string, content: Buffer, { mode, isDurable }: Required<ReplaceOptions>): void {
  // Created here, so that no link is followed that someone put there. A file of that name is left of a process with the same id.
  rmSync(path, { force: true })
  const file = openSync(path, 'wx', mode)
  try {
    fchmodSync(file, mode)
    // A disk that is nearly full takes a part of the content, and reports the error at the next write.
    for (let done = 0; done < content.length;) done += writeSync(file, content, done)
    if (isDurable) fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** A rename is durable only after its folder was synced. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
