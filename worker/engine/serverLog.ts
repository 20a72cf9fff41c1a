/** The embedded server's log: the server appends to one file, and this module keeps it small. */
import { closeSync, copyFileSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { engineRetention } from '../../policy/retention.js'

/**
 * Copies the log to `<file>.1` and truncates it once it is too long, so that both take at most twice `limit` bytes. The server opened
 * it for appending, so it continues at the new end.
 */
export function trimLog(file: string, limit: number = engineRetention.log): void {
  try {
    if (statSync(file).size <= limit) return
    copyFileSync(file, `${file}.1`)
  } catch {
    // No log yet, or no space for a copy; truncating it then frees some.
  }
  try {
    truncateSync(file, 0)
  } catch {
    // No log yet.
  }
}

/** What was written from `position` on, at most the last 64 KB of it. */
export function logSince(file: string, position: number): string {
  try {
    const fd = openSync(file, 'r')
    try {
      const { size } = fstatSync(fd)
      const from = Math.max(Math.min(position, size), size - 65_536)
      const buffer = Buffer.alloc(size - from)
      readSync(fd, buffer, 0, buffer.length, from)
      return buffer.toString('utf8')
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}
