/** The second look before a service is called frozen: does something that only its work moves still grow? Bounded in time and size. */
import { stat } from 'node:fs/promises'
import { glob } from 'tinyglobby'
import type { BusyCheckConfig } from '../../config/config.js'
import type { LastCheckFile } from '../../config/state/serviceFiles.js'
import { runCommand } from '../../host/process/runCommand.js'

/** Folders of agents hold tens of thousands of transcripts: what was not seen within this did not grow for us. */
const globWithin = 5_000
const filesMax = 50_000
const outputMax = 4_096

export interface Work {
  /** When growth was last seen, ms since the epoch; null where it was not. */
  grewAt: number | null
  what: string
  sizes: LastCheckFile['sizes']
}

export async function lookForWork(
  check: BusyCheckConfig,
  before: LastCheckFile['sizes'],
  at: { cwd: string; env: Record<string, string>; stopGraceMs: number; now: number },
): Promise<Work> {
  if (check.run !== null) {
    const { ok } = await runCommand({
      ...{ run: check.run, cwd: at.cwd, env: at.env, stopGraceMs: at.stopGraceMs },
      ...{ timeoutMs: check.timeout, maxOutputBytes: outputMax },
    })
    return { grewAt: ok ? at.now : null, what: `its busy check says that it works`, sizes: null }
  }
  return grownFiles(check, before, at.now)
}

/**
 * The first time only the files' own times tell; from then on their sizes must have grown, since a file can be touched for
 * ever without a word in it.
 */
async function grownFiles(check: BusyCheckConfig, before: LastCheckFile['sizes'], now: number): Promise<Work> {
  const files = await matching(check.files)
  let bytes = 0
  let newest = 0
  for (const file of files) {
    const info = await stat(file).catch(() => null)
    if (info?.isFile() !== true) continue
    bytes += info.size
    newest = Math.max(newest, info.mtimeMs)
  }
  const hasGrown = before !== null && bytes > before.bytes
  const known = before?.grewAt == null ? null : Date.parse(before.grewAt)
  const grewAt = before === null ? newest : hasGrown ? Math.min(newest, now) : (known ?? 0)
  const sizes = { bytes, grewAt: grewAt > 0 ? new Date(Math.min(grewAt, now)).toISOString() : null }
  return { grewAt: grewAt > 0 ? grewAt : null, what: 'the files of its work still grow', sizes }
}

async function matching(patterns: string[]): Promise<string[]> {
  const found: string[] = []
  for (const pattern of patterns) {
    const options = { absolute: true, dot: true, followSymbolicLinks: false, onlyFiles: true }
    const signal = AbortSignal.timeout(globWithin)
    found.push(...(await glob(pattern, { ...options, ...rootOf(pattern), signal }).catch(() => [])))
  }
  return found.slice(0, filesMax)
}

/** The folder above the first wildcard: nothing outside it has to be walked through. */
function rootOf(pattern: string): { cwd: string } {
  const parts = pattern.split('/')
  const wild = parts.findIndex((part) => /[*?[\]{}()!]/.test(part))
  return { cwd: (wild < 0 ? parts.slice(0, -1) : parts.slice(0, wild)).join('/') || '/' }
}
