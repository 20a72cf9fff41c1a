/** Replaces a file so that a reader sees either the old or the new content, even after a crash. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'

let counter = 0

/** The content is on disk before the file gets its name. A link at `path` is replaced by a file. */
export function replaceFile(path: string, content: string, mode: number): void {
  const temporary = `${path}.${process.pid}.${++counter}.tmp`
  const file = openSync(temporary, 'w', mode)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}
