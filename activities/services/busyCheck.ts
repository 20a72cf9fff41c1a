/** The second check before a service is called frozen: do files that only its work writes still grow? Bounded in time and size. */
import { stat } from 'node:fs/promises'
import { glob } from 'tinyglobby'
import type { BusyCheckConfig } from '../../config/config.js'
import type { LastCheckFile } from '../../config/state/serviceFiles.js'
import { runCommand } from '../../host/process/runCommand.js'

/** Folders of agents hold tens of thousands of transcripts. Files that are not found within these bounds don't count. */
const globTimeout = 5_000
const maxFiles = 50_000
const maxOutput = 4_096

export interface BusyEvidence {
  /** When growth was last seen, ms since the epoch; null if it never was. */
  grewAt: number | null
  what: string
  sizes: LastCheckFile['sizes']
}

export async function runBusyCheck(
  check: BusyCheckConfig,
  before: LastCheckFile['sizes'],
  at: {
    cwd: string
    env: Record<string, string>
    stopGraceMs: number
    now: number
    blockedBy: string | null
  },
): Promise<BusyEvidence> {
  if (check.run !== null) {
    const { ok } = await runCommand({
      ...{ run: check.run, cwd: at.cwd, env: at.env, stopGraceMs: at.stopGraceMs, blockedBy: at.blockedBy },
      ...{ timeoutMs: check.timeout, maxOutputBytes: maxOutput },
    })
    return { grewAt: ok ? at.now : null, what: 'its busy check says that it works', sizes: null }
  }
  return checkFileGrowth(check, before, at.now)
}

/**
 * The first check goes by the files' modification times. Later ones require that the files have grown, because a file can be
 * touched again and again without any work being done.
 */
async function checkFileGrowth(
  check: BusyCheckConfig,
  before: LastCheckFile['sizes'],
  now: number,
): Promise<BusyEvidence> {
  const files = await matchingFiles(check.files)
  let bytes = 0
  let newest = 0
  for (const file of files) {
    const info = await stat(file).catch(() => null)
    if (info?.isFile() !== true) continue
    bytes += info.size
    newest = Math.max(newest, info.mtimeMs)
  }
  const hasGrown = before !== null && bytes > before.bytes
  const lastGrowthAt = before?.grewAt == null ? null : Date.parse(before.grewAt)
  const grewAt = before === null ? newest : hasGrown ? Math.min(newest, now) : (lastGrowthAt ?? 0)
  const sizes = { bytes, grewAt: grewAt > 0 ? new Date(Math.min(grewAt, now)).toISOString() : null }
  return { grewAt: grewAt > 0 ? grewAt : null, what: 'the files of its work still grow', sizes }
}

async function matchingFiles(patterns: string[]): Promise<string[]> {
  const found: string[] = []
  for (const pattern of patterns) {
    const options = { absolute: true, dot: true, followSymbolicLinks: false, onlyFiles: true }
    const signal = AbortSignal.timeout(globTimeout)
    found.push(...(await glob(pattern, { ...options, ...rootOf(pattern), signal }).catch(() => [])))
  }
  return found.slice(0, maxFiles)
}

/** The folder above the first wildcard: nothing outside it has to be walked through. */
function rootOf(pattern: string): { cwd: string } {
  const parts = pattern.split('/')
  const wild = parts.findIndex((part) => /[*?[\]{}()!]/.test(part))
  return { cwd: (wild < 0 ? parts.slice(0, -1) : parts.slice(0, wild)).join('/') || '/' }
}
