/** Where Outpool keeps its state on this host: the layout of OUTPOOL_HOME. */
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, realpathSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { HomeError } from '../errors.js'
import { hostIdOf } from './hostId.js'
import { ownFolder } from './ownFile.js'

/** Paths under one OUTPOOL_HOME. Two homes on one machine share none of them. */
export interface Home {
  dir: string
  /** Names this host and home in task queues; stable over restarts, and never the same on two machines (hostId.ts). */
  hostId: string
  /** `{ address, namespace, uiUrl, pid }` of the engine in use: how every command finds it. */
  engineFile: string
  /** The keys that seal what the engine stores (config/seal/keys.ts). */
  sealKeys: string
  /** The embedded engine's database. */
  database: string
  logs: string
  tmuxSocket: string
  /** At which the worker answers commands (config/localSocket/protocol.ts). */
  commandSocket: string
  /** Files that hooks and status lines of agents write for the worker. */
  reports: string
  /** One folder per session: fence, launch files, draft. */
  sessions: string
  /** One folder per service: its process, the last check of it, its output. */
  services: string
  /** One report per incident. */
  incidents: string
  /** One folder per task: its outputs and answers, and which mails it delivered. */
  tasks: string
  /** One config dir per substrate, created by Outpool. */
  substrates: string
  /** One file per account: windows, walls and login as this host read them. */
  quota: string
  /** What rehearsals have found, one file for each version of an agent program. */
  rehearsals: string
  /** The config dirs of all accounts that were ever configured. */
  knownAccounts: string
  /** The configuration that the worker uses: its file, and why a newer one is not used. */
  configInUse: string
  /** What happened on this host, as JSON lines. */
  events: string
  /** What was found in these folders and is not used: links, pipes, broken records. */
  odd: string
  /** The worker's current view of its host, for `ls` and `accounts`. */
  liveFile: string
  /** Held by the worker that watches this host. */
  workerLock: string
}

export const workerLockName = 'worker.lock'

/** The longest path that a Unix socket may have on both Linux and macOS, terminator included. */
const socketPathMax = 104

const folders = ['logs', 'reports', 'sessions', 'services', 'incidents', 'tasks', 'quota', 'events']

/** The folder that the environment names, which may not exist. */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const stateFolder = env['XDG_STATE_HOME'] ?? join(env['HOME'] ?? homedir(), '.local', 'state')
  return resolve(env['OUTPOOL_HOME'] ?? join(stateFolder, 'outpool'))
}

/** Creates the folder (0700) if it does not exist. Throws HomeError if that fails, or if the folder is another user's. */
export function openHome(env: NodeJS.ProcessEnv = process.env): Home {
  const { dir, hostId } = makeHome(homeFolder(env))
  const mark = createHash('sha256').update(dir).digest('hex').slice(0, 6)
  return {
    dir,
    hostId,
    engineFile: join(dir, 'engine.json'),
    sealKeys: join(dir, 'seal-keys.json'),
    database: join(dir, 'temporal.db'),
    logs: join(dir, 'logs'),
    tmuxSocket: socketPath(join(dir, 'tmux.sock'), `${mark}.sock`),
    commandSocket: socketPath(join(dir, 'worker.sock'), `${mark}-worker.sock`),
    reports: join(dir, 'reports'),
    sessions: join(dir, 'sessions'),
    services: join(dir, 'services'),
    incidents: join(dir, 'incidents'),
    tasks: join(dir, 'tasks'),
    substrates: join(dir, 'substrates'),
    quota: join(dir, 'quota'),
    rehearsals: join(dir, 'rehearsals'),
    knownAccounts: join(dir, 'accounts.json'),
    configInUse: join(dir, 'config.json'),
    events: join(dir, 'events'),
    odd: join(dir, 'odd'),
    liveFile: join(dir, 'live.json'),
    workerLock: join(dir, workerLockName),
  }
}

/** Returns its real path, and the id of this host. */
function makeHome(wanted: string): { dir: string; hostId: string } {
  try {
    makeFolder(dirname(wanted))
    const dir = existsSync(wanted) ? realpathSync(wanted) : wanted
    ownFolder(dir)
    for (const folder of folders) ownFolder(join(dir, folder))
    accessSync(dir, constants.W_OK)
    return { dir, hostId: hostIdOf(dir) }
  } catch (error) {
    throw new HomeError(wanted, error)
  }
}

/** One folder after the other: Node's recursive mkdir never ends where no folder can be created, such as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another command may have created it in between.
    if (!existsSync(path)) throw error
  }
}

/**
 * A home whose path is too long for a socket keeps it in a private folder under /tmp, under another name. Not under XDG_RUNTIME_DIR, which
 * is removed at logout while the panes run on, and which is not set for every process of the user. Another user could create the folder
 * first and own the socket, so a folder that belongs to another user is refused. Throws HomeError.
 */
function socketPath(wanted: string, nameElsewhere: string): string {
  if (Buffer.byteLength(wanted) < socketPathMax) return wanted
  const folder = join(existsSync('/tmp') ? '/tmp' : tmpdir(), `outpool-${userInfo().uid}`)
  try {
    ownFolder(folder)
  } catch (error) {
    throw new HomeError(folder, error)
  }
  return join(folder, nameElsewhere)
}

/** Where downloaded programs go; shared by all homes of a user. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(resolve(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache')), 'outpool')
}
