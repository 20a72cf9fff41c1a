/** Whether this process may open as many files as it has to load: with too few, Node fails in the middle of that with a stack. */
import { readFileSync } from 'node:fs'
import { outOfFiles } from '../config/errors.js'

/** `outpool up` and `outpool doctor` load about two hundred files at once. */
const neededFiles = 256

/** Null if the limit is high enough, or is not known here. Node has raised it as far as the system allows. */
export function openFilesProblem(limits = readLimits()): string | null {
  const [, allowed] = /^Max open files\s+(\d+)/m.exec(limits) ?? []
  if (allowed === undefined || Number(allowed) >= neededFiles) return null
  return `outpool: ${outOfFiles.problem} than ${allowed}, and needs ${neededFiles}\n  -> ${outOfFiles.remedy}\n`
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
