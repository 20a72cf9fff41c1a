/** Paths of `outpool.yaml`: `~` is the user's home, everything else counts from the file's folder. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export interface PathBase {
  /** The folder of the file. */
  folder: string
  env: NodeJS.ProcessEnv
}

export function expandPath(written: string, base: PathBase): string {
  const home = base.env['HOME'] ?? homedir()
  if (written === '~') return home
  if (written.startsWith('~/')) return join(home, written.slice(2))
  return resolve(base.folder, written)
}

/** A program is looked up on PATH unless it is written as a path. */
export function expandProgram(written: string, base: PathBase): string {
  return written.startsWith('~/') || written.startsWith('./') || written.startsWith('../')
    ? expandPath(written, base)
    : written
}
