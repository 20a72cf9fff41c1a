/** Writes files so that a reader sees either the old or the new content, even after a crash or on a full disk. */
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

let counter = 0

/**
 * The content, and the name, are on disk when it returns. Mode 0600 whatever the umask. Throws the system's error if not all could
 * be written; the old file is there then, and nothing is left behind. `isDurable: false` saves the waiting for the disk, for what
 * is written again soon.
 */
export function writeFileAtomic(path: string, content: string, { isDurable = true } = {}): void {
  const temporary = `${path}.${process.pid}.${++counter}.tmp`
  try {
    writeNew(temporary, Buffer.from(content), isDurable)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  if (isDurable) syncFolder(dirname(path))
}

function writeNew(path: string, content: Buffer, isDurable: boolean): void {
  // Created here, so that no link is followed that someone put there. A file of that name is left of a process with the same id.
  rmSync(path, { force: true })
  const file = openSync(path, 'wx', 0o600)
  try {
    fchmodSync(file, 0o600)
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
