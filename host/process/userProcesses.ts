/** Processes of this user with their command line, environment and terminal. Linux only; elsewhere none are found. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { statFields } from '../../config/state/procStat.js'
import { hasProc } from './processes.js'

export interface UserProcess {
  pid: number
  /** As `ProcessRef`. */
  start: string
  parent: number
  argv: string[]
  /** As it was when the program was started. Holds secrets. */
  env: Record<string, string>
  cwd: string
  /** Path of its terminal, or null. */
  tty: string | null
}

export function userProcesses(): UserProcess[] {
  if (!hasProc) return []
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .flatMap((pid) => readUserProcess(pid) ?? [])
}

/** Null if there is no such process of this user. */
export function readUserProcess(pid: number): UserProcess | null {
  const fields = statFields(pid)
  if (fields === null || fields[0] === 'Z') return null
  try {
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return null
    const argv = wordsOf(`/proc/${pid}/cmdline`)
    // Threads of the kernel have no command line.
    if (argv.length === 0) return null
    return {
      pid,
      start: fields[19] ?? '',
      parent: Number(fields[1]),
      argv,
      env: Object.fromEntries(wordsOf(`/proc/${pid}/environ`).map(variable)),
      cwd: readlinkSync(`/proc/${pid}/cwd`),
      tty: Number(fields[4]) === 0 ? null : terminalOf(pid),
    }
  } catch {
    // It has ended meanwhile, or does not show its environment.
    return null
  }
}

const wordsOf = (file: string): string[] => readFileSync(file, 'utf8').split('\0').slice(0, -1)

function variable(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** The input of a program with a terminal may be something else, but hardly its output and its errors too. */
function terminalOf(pid: number): string | null {
  for (const stream of [0, 1, 2]) {
    const path = linkTarget(`/proc/${pid}/fd/${stream}`)
    if (path !== null && /^\/dev\/(?:pts\/\d+|tty\w*)$/.test(path)) return path
  }
  return null
}

function linkTarget(link: string): string | null {
  try {
    return readlinkSync(link)
  } catch {
    return null
  }
}
