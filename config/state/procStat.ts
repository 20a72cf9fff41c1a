/** What Linux says of a process in `/proc`. */
import { readFileSync } from 'node:fs'
import { statFieldsOf } from '../../policy/procStat.js'
import { isOutOfFiles } from '../errors.js'

/** The fields of `/proc/<pid>/stat` from the third on. Null elsewhere. Throws if no file can be opened. */
export function statFields(pid: number): string[] | null {
  try {
    return statFieldsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    // That this process can't open another file says nothing about the other process.
    if (isOutOfFiles(error)) throw error
    return null
  }
}
