/** Writing files so that a reader, or a crash, sees either the old or the new content. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'

let counter = 0

/** Durable before it returns: the content and then the name are on disk. Mode 0600. */
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
