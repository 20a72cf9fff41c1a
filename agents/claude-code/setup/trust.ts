/** Which folder the program asks to trust when it is started in a given one. */
import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { resolveRealPath } from '../paths.js'

/**
 * The folders to mark as trusted so that no question is asked in `cwd`: the root of its repository, or `cwd` itself
 * outside of one. A linked worktree is trusted through the root of the repository that it belongs to.
 */
export async function trustedFolder(cwd: string): Promise<string> {
  const start = resolveRealPath(cwd)
  for (let folder = start; ; folder = dirname(folder)) {
    const root = await repositoryRoot(folder)
    if (root !== null) return root
    if (dirname(folder) === folder) return start
  }
}

/** The repository whose work tree this very folder is, or null. */
async function repositoryRoot(folder: string): Promise<string | null> {
  const mark = join(folder, '.git')
  const info = await stat(mark).catch(() => null)
  if (info === null) return null
  if (info.isDirectory()) return folder
  const text = await readFile(mark, 'utf8').catch(() => '')
  const [, named] = /^gitdir: (.+)$/m.exec(text) ?? []
  if (named === undefined) return null
  const gitDir = resolve(folder, named.trim())
  // Only worktrees have a `commondir`; a submodule's work tree stands for itself.
  const common = await readFile(join(gitDir, 'commondir'), 'utf8').catch(() => null)
  if (common === null) return folder
  const main = resolveRealPath(resolve(gitDir, common.trim()))
  return main.endsWith('/.git') ? dirname(main) : folder
}
