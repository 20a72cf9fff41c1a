/** Writes files so that a reader sees either the old or the new content, even after a crash. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'

let counter = 0

/** The content is on disk before the file gets its name. Mode 0600. */
export function writeFileAtomic(path: string, content: string): void {
  const temporary = `${path}.${process.pid}.${++counter}.tmp`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}
