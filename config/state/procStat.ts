/** What Linux says of a process in `/proc`. */
import { readFileSync } from 'node:fs'
import { isOutOfFiles } from '../errors.js'

/** The fields of /proc/<pid>/stat from the third on (`state`, `ppid`, `pgrp`, `session`, ...): the second may hold spaces. Null elsewhere. Throws if no file can be opened. */
export function statFields(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch (error) {
    // That this process can't open another file says nothing about the other process.
    if (isOutOfFiles(error)) throw error
    return null
  }
}

/**
 * Whether these are the fields of a zombie: it has ended, and its parent has not noticed. One with running threads has not. Field 20
 * counts the threads, including a dead first one.
 */
export const hasEnded = ([state, ...others]: readonly string[]): boolean =>
  state === 'Z' && Number(others[16]) <= 1
