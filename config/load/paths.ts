/** Paths of `outpool.yaml`: `~` is the user's home, everything else is relative to the file's folder. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export interface PathBase {
  /** The folder of the file. */
  folder: string
  env: NodeJS.ProcessEnv
}

export function expandPath(path: string, base: PathBase): string {
  const home = base.env['HOME'] ?? homedir()
  if (path === '~') return home
  if (path.startsWith('~/')) return join(home, path.slice(2))
  return resolve(base.folder, path)
}

/** A program is looked up on PATH unless it is written as a path. */
export function expandProgram(program: string, base: PathBase): string {
  return program.startsWith('~/') || program.startsWith('./') || program.startsWith('../')
    ? expandPath(program, base)
    : program
}
