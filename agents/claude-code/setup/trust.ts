/** Which folder has to be trusted for the program to start in a given one without asking. */
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readRegular } from '../../files.js'
import { resolveRealPath } from '../paths.js'

/**
 * The folder to mark as trusted for `cwd`: the root of its repository, or `cwd` itself outside of one. A linked worktree is trusted
 * through the root of its main repository.
 */
export async function trustedFolder(cwd: string): Promise<string> {
  const start = resolveRealPath(cwd)
  for (let folder = start; ; folder = dirname(folder)) {
    const root = await repositoryRoot(folder)
    if (root !== null) return root
    if (dirname(folder) === folder) return start
  }
}

/** The root of the repository, if this folder is the root of a work tree; else null. */
async function repositoryRoot(folder: string): Promise<string | null> {
  const mark = join(folder, '.git')
  const info = await stat(mark).catch(() => null)
  if (info === null) return null
  if (info.isDirectory()) return folder
  const text = await readRegular(mark).catch(() => '')
  const [, named] = /^gitdir: (.+)$/m.exec(text) ?? []
  if (named === undefined) return null
  const gitDir = resolve(folder, named.trim())
  // Only linked worktrees have a `commondir`; a submodule is a repository root itself.
  const common = await readRegular(join(gitDir, 'commondir')).catch(() => null)
  if (common === null) return folder
  const main = resolveRealPath(resolve(gitDir, common.trim()))
  return main.endsWith('/.git') ? dirname(main) : folder
}
