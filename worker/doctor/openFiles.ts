/** What other users could read or change in the folders on which Outpool stands, and what it has set aside there. */
import { lstatSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Home } from '../../config/state/home.js'
import { oddityAt } from '../../config/state/ownFile.js'
import { type Finding, ok, warn } from './finding.js'

/** A session's folder is two levels below the home. */
const deepest = 3
/** Enough to see what is wrong, however many files there are. */
const maxNamed = 5
const maxExamined = 20_000

export function checkOpenFiles(home: Home, cache: string): Finding[] {
  return [checkOwnership(home), checkParents(home.dir), ...checkCache(cache), ...checkSetAside(home)]
}

function checkOwnership(home: Home): Finding {
  const odd = oddPaths(home.dir, home)
  if (odd.length === 0) return ok('files', `${home.dir} belongs to this user alone`)
  return warn(
    'files',
    `in ${home.dir}, ${list(odd)}`,
    'Find out who made it, and remove it. Close what is yours with chmod go-rwx.',
  )
}

/** Each path with what is odd about it. Config dirs of substrates belong to the agent program, which links files as it likes. */
function oddPaths(root: string, home: Home): string[] {
  const odd: string[] = []
  const left: { path: string; depth: number }[] = [{ path: root, depth: 0 }]
  for (let examined = 0; examined < maxExamined; examined++) {
    const next = left.pop()
    if (next === undefined) break
    const { path, depth } = next
    const info = lstatSync(path, { throwIfNoEntry: false })
    // tmux and the worker have sockets here.
    if (info === undefined || info.isSocket()) continue
    const isFolder = info.isDirectory()
    const oddity = oddityAt(path, isFolder ? 'folder' : 'file', Infinity)
    if (oddity !== null) odd.push(`${path} is ${oddity}`)
    if (isFolder && oddity === null && depth < deepest && path !== home.substrates && path !== home.odd)
      left.push(...childrenOf(path).map((child) => ({ path: child, depth: depth + 1 })))
  }
  return odd
}

/** A user who may rename a folder above the home can replace the home. */
function checkParents(dir: string): Finding {
  const own = process.getuid?.() ?? 0
  const open: string[] = []
  for (let folder = dirname(dir); ; folder = dirname(folder)) {
    const { uid, mode } = lstatSync(folder)
    const isSticky = (mode & 0o1000) !== 0
    if ((uid !== own && uid !== 0) || ((mode & 0o022) !== 0 && !isSticky)) open.push(folder)
    if (dirname(folder) === folder) break
  }
  if (open.length === 0) return ok('folders above', 'no other user can replace the state folder')
  return warn(
    'folders above',
    `other users can rename what is in ${list(open)}, and so replace ${dir}`,
    'Close them with chmod go-w, or set OUTPOOL_HOME to a folder elsewhere.',
  )
}

function checkCache(cache: string): Finding[] {
  const oddity = oddityAt(cache, 'folder')
  if (oddity === null) return []
  const remedy = 'Remove it: Outpool fetches its programs again into a folder of its own.'
  return [warn('cache', `${cache}, from which programs are run, is ${oddity}`, remedy)]
}

function checkSetAside({ odd }: Home): Finding[] {
  const names = childrenOf(odd)
  if (names.length === 0) return []
  return [
    warn(
      'set aside',
      `${names.length} of what was found in outpool's folders is not used: ${list(names)}`,
      `Look at what is in ${odd}, then remove it.`,
    ),
  ]
}

function childrenOf(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name))
  } catch {
    return []
  }
}

function list(items: readonly string[]): string {
  const more = items.length - maxNamed
  return items.slice(0, maxNamed).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
