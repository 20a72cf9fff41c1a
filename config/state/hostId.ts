/** The name of a host and home in task queues: random, stored in the home, and bound to the machine that created it. */
import { createHash, randomBytes } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from './readJson.js'

/**
 * A home on a disk that several machines share has one entry for each of them. `dir` is the path of the home: a home that was moved
 * keeps its id, and a copy of a home that still exists gets a new one.
 */
const entrySchema = z.object({
  machine: z.string().max(128),
  dir: z.string().max(4096),
  id: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/),
})
const fileSchema = z.array(entrySchema).max(256)
type Entry = z.output<typeof entrySchema>

const fileIn = (dir: string): string => join(dir, 'host.json')

/** The id of the home in `dir` (its real path) on this machine; created and stored by the first call. */
export function hostIdOf(dir: string, machine = machineFingerprint()): string {
  const entries = readEntries(dir)
  const own = entries.find((entry) => entry.machine === machine)
  if (own?.dir === dir) return own.id
  const wasMoved = own !== undefined && !readEntries(own.dir).some(({ id }) => id === own.id)
  const entry = { machine, dir, id: wasMoved ? own.id : randomId() }
  return write(dir, [...entries.filter((one) => one !== own), entry], entry)
}

/** Begins with the host's name, so that a person recognises it in a list; the random rest makes it unique. */
const randomId = (): string =>
  `${
    hostname()
      .replaceAll(/[^A-Za-z0-9.-]/g, '-')
      .slice(0, 63) || 'host'
  }-${randomBytes(8).toString('hex')}`

/** If two commands open a new home at once, one of them writes the file and both use its id. */
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
    // The file is not one of ours, or knows only the path from which the home was moved.
    renameSync(draft, file)
    return mine.id
  } finally {
    rmSync(draft, { force: true })
  }
}

const readEntries = (dir: string): Entry[] => readJson(fileIn(dir), fileSchema) ?? []

/** Identifies this machine without revealing its machine id. All machines without an id (containers) have the same one. */
export function machineFingerprint(): string {
  return createHash('sha256').update(`outpool ${machineId()}`).digest('hex').slice(0, 32)
}

function machineId(): string {
  for (const file of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = readFileSync(file, 'utf8').trim()
      if (id !== '' && id !== 'uninitialized') return id
    } catch {
      // The next file may have it.
    }
  }
  if (process.platform !== 'darwin') return ''
  const { stdout } = spawnSync('ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice'], { encoding: 'utf8' })
  return /"IOPlatformUUID" = "([^"]+)"/.exec(stdout)?.[1] ?? ''
}
