/** The embedded server's log: one file that it appends to, kept small from outside. */
import { closeSync, copyFileSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { engineRetention } from '../../policy/retention.js'

/**
 * Moves what is there to `<file>.1` once it is too long: with that, a log takes at most twice `limit` bytes. The server appends,
 * so it goes on at the new end.
 */
export function trimLog(file: string, limit: number = engineRetention.log): void {
  try {
    if (statSync(file).size <= limit) return
    copyFileSync(file, `${file}.1`)
  } catch {
    // No log yet, or no room for a copy: cutting it is then what helps.
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
