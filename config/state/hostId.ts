/** The name of a host and home in task queues: random, kept in the home, and bound to the machine that it was made on. */
import { createHash, randomBytes } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from './readJson.js'

/**
 * A home on a disk that several machines share has one entry for each of them. `dir` is where the home lay: one that was moved
 * keeps its id, a copy of one that is still there does not.
 */
const entrySchema = z.object({
  machine: z.string().max(128),
  dir: z.string().max(4096),
  id: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/),
})
const fileSchema = z.array(entrySchema).max(256)
type Entry = z.output<typeof entrySchema>

const fileIn = (dir: string): string => join(dir, 'host.json')

/** The id of the home in `dir` (its real path) on this machine; made and written down at the first call. */
export function hostIdOf(dir: string, machine = machineFingerprint()): string {
  const entries = readEntries(dir)
  const own = entries.find((entry) => entry.machine === machine)
  if (own?.dir === dir) return own.id
  const wasMoved = own !== undefined && !readEntries(own.dir).some(({ id }) => id === own.id)
  const entry = { machine, dir, id: wasMoved ? own.id : randomId() }
  return write(dir, [...entries.filter((one) => one !== own), entry], entry)
}

/** Readable at its head, so that a person knows the host in a list; what tells it from every other is the rest. */
const randomId = (): string =>
  `${
    hostname()
      .replaceAll(/[^A-Za-z0-9.-]/g, '-')
      .slice(0, 63) || 'host'
  }-${randomBytes(8).toString('hex')}`

/** Of two commands that come to a fresh home at once, one writes, and both take what is written. */
function write(dir: string, entries: Entry[], mine: Entry): string {
  const file = fileIn(dir)
  const draft = `${file}.${process.pid}.new`
  writeFileSync(draft, `${JSON.stringify(entries, null, 2)}\n`, { mode: 0o600 })
  try {
    if (entries.length > 1) renameSync(draft, file)
    else linkSync(draft, file)
    return mine.id
  } catch {
    const theirs = readEntries(dir).find(({ machine, dir: at }) => machine === mine.machine && at === dir)
    if (theirs !== undefined) return theirs.id
    // What lies there is no list of ours, or only tells of a place that the home was moved from.
    renameSync(draft, file)
    return mine.id
  } finally {
    rmSync(draft, { force: true })
  }
}

const readEntries = (dir: string): Entry[] => readJson(fileIn(dir), fileSchema) ?? []

/** Names this machine without telling its id, which is not for others to know. Machines without one (containers) are all the same. */
export function machineFingerprint(): string {
  return createHash('sha256').update(`outpool ${machineId()}`).digest('hex').slice(0, 32)
}

function machineId(): string {
  for (const file of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = readFileSync(file, 'utf8').trim()
      if (id !== '' && id !== 'uninitialized') return id
    } catch {
      // The next place may have it.
    }
  }
  if (process.platform !== 'darwin') return ''
  const { stdout } = spawnSync('ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice'], { encoding: 'utf8' })
  return /"IOPlatformUUID" = "([^"]+)"/.exec(stdout)?.[1] ?? ''
}
