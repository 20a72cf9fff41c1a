/** In which folder a process works, as the system tells. */
import { readlinkSync, realpathSync } from 'node:fs'
import { sep } from 'node:path'
import { execa } from 'execa'
import { hasProc } from './processes.js'

/** A busy system takes a while to list the files of a process; milliseconds. */
const answerWithin = 5_000

/** Real path; null if the process has ended or the system does not tell. */
export async function workingFolder(pid: number): Promise<string | null> {
  if (hasProc) {
    try {
      return readlinkSync(`/proc/${pid}/cwd`)
    } catch {
      return null
    }
  }
  const args = ['-a', '-p', String(pid), '-d', 'cwd', '-Fn']
  const { stdout } = await execa('lsof', args, { reject: false, timeout: answerWithin })
  return /^n(\/.*)$/m.exec(stdout)?.[1] ?? null
}

/** Whether a real path is the folder itself or below it. False if the folder is gone. */
export function isWithin(path: string, folder: string): boolean {
  try {
    const real = realpathSync(folder)
    return path === real || path.startsWith(real.endsWith(sep) ? real : real + sep)
  } catch {
    return false
  }
}
