/** Free space and features of the disks that Outpool writes to. */
import { watch } from 'node:fs'
import { readFile, rm, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { Home } from '../../config/state/home.js'
import { type Finding, fail, ok, warn } from './finding.js'
import { errorCode } from '../../policy/errorFacts.js'

/** Bytes. Below the first a few busy days fill the disk; below the second an engine may stop within the hour. */
const roomy = 2e9
const tight = 200e6

export async function checkSpace(what: string, folder: string): Promise<Finding> {
  const name = `disk of ${what}`
  const { bavail, bsize } = await statfs(await existing(folder))
  const free = bavail * bsize
  const found = `${formatBytes(free)} free at ${folder}`
  const remedy = `Free some space there, or name another place for it (${what === 'home' ? 'OUTPOOL_HOME' : 'XDG_CACHE_HOME'}).`
  if (free < tight) return fail(name, found, remedy)
  return free < roomy ? warn(name, found, remedy) : ok(name, found)
}

/** The folder itself, or its nearest parent that exists. */
async function existing(folder: string): Promise<string> {
  const there = await stat(folder).catch(() => null)
  const parent = dirname(folder)
  return there !== null || parent === folder ? folder : existing(parent)
}

/** Opens a socket, since network and shared folders of virtual machines often refuse sockets. */
export async function checkSockets(home: Home): Promise<Finding> {
  const socket = join(dirname(home.tmuxSocket), `d${process.pid}`)
  try {
    await new Promise<void>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(socket, () => server.close(() => resolve()))
    })
    return ok('sockets', `${dirname(home.tmuxSocket)} takes sockets`)
  } catch (error) {
    return fail(
      'sockets',
      `no socket can be created in ${dirname(home.tmuxSocket)} (${errorCode(error) ?? String(error)}), so tmux could not run there`,
      'Name a folder on a local disk with OUTPOOL_HOME.',
    )
  } finally {
    await rm(socket, { force: true })
  }
}

/** Whether a change in the report folder is noticed at once: tries it, and reads the limits of the system. */
export async function checkWatching(home: Home, limits = '/proc/sys/fs/inotify'): Promise<Finding> {
  const remedy = 'Raise fs.inotify.max_user_instances and fs.inotify.max_user_watches with sysctl.'
  try {
    watch(home.reports).close()
  } catch (error) {
    return fail(
      'file watches',
      `no further file can be watched (${errorCode(error) ?? String(error)})`,
      remedy,
    )
  }
  const [instances, watches] = await Promise.all(
    ['max_user_instances', 'max_user_watches'].map(async (name) => {
      const text = await readFile(join(limits, name), 'utf8').catch(() => null)
      return text === null ? null : Number(text)
    }),
  )
  if (typeof instances !== 'number' || typeof watches !== 'number')
    return ok('file watches', 'work; this system has no limits to read')
  const found = `work; the system allows ${instances} instances and ${watches} watches for each user`
  // Each agent uses one instance; the usual limit is 128.
  return instances < leastInstances || watches < leastWatches
    ? warn('file watches', found, remedy)
    : ok('file watches', found)
}

const leastInstances = 128
const leastWatches = 8192

/** In GB or MB, as disks are sold. */
export const formatBytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
