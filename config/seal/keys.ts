/**
 * The keys that seal what the engine stores: a file in OUTPOOL_HOME, made by the first `outpool up`. All hosts of one fleet have the
 * same file, which a person copies on purpose.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { z } from 'zod'
import { parseJsonAs } from '../../policy/parseJson.js'
import { SealKeyError } from '../errors.js'
import type { Home } from '../state/home.js'
import { errorCode, messageOf } from '../../policy/errorFacts.js'

export interface SealKey {
  /** Names the key in what it seals. Says nothing about the key itself. */
  id: string
  bytes: Buffer
}

export interface SealKeys {
  /** Seals everything new. */
  readonly current: SealKey
  /** Open what was sealed; the current one is among them. */
  readonly byId: ReadonlyMap<string, SealKey>
  /** The key of this id, also if it has been added since. */
  find(id: string): SealKey | undefined
}

/** For AES-256. Bytes. */
const keyLength = 32

const fileSchema = z.object({
  /** The current one first, then those that only open. */
  keys: z
    .array(
      z.object({
        key: z.base64url(),
        since: z.iso.datetime(),
        /** When it last sealed on this host. Absent for the current one, and for one that never did. */
        until: z.iso.datetime().optional(),
      }),
    )
    .min(1),
})

export type KeyEntry = z.output<typeof fileSchema>['keys'][number]

export const newEntry = (now: Date): KeyEntry => ({
  key: randomBytes(keyLength).toString('base64url'),
  since: now.toISOString(),
})

export const fileText = (keys: readonly KeyEntry[]): string => `${JSON.stringify({ keys })}\n`

export const idOfEntry = ({ key }: KeyEntry): string => sealKeyOf(Buffer.from(key, 'base64url')).id

/** The entries of the file as they are. Throws SealKeyError as `readSealKeys` does. */
export function readKeyEntries(home: Home): KeyEntry[] {
  readSealKeys(home)
  return parseJsonAs(readPrivateFile(home.sealKeys) ?? '', fileSchema)?.keys ?? []
}

/** Throws SealKeyError if there is no file, if others may read it, or if it is not a valid key file. */
export function readSealKeys(home: Home): SealKeys {
  const text = readPrivateFile(home.sealKeys)
  if (text === null)
    throw new SealKeyError(
      `${home.sealKeys} is not there: without it, this host can neither read nor write what the engine stores`,
      'run `outpool up`, which makes it; on a further host of a fleet, copy the file of the first one, with mode 0600',
    )
  return parseKeys(home, text)
}

/** As `readSealKeys`; makes the file if there is none. Of two processes that make it at once, both use the same one. */
export function ensureSealKeys(home: Home, now: () => Date = () => new Date()): SealKeys {
  if (readPrivateFile(home.sealKeys) === null) createOnce(home.sealKeys, fileText([newEntry(now())]))
  return readSealKeys(home)
}

const parseKeys = (home: Home, text: string): SealKeys =>
  keysOf(home, parseJsonAs(text, fileSchema)?.keys ?? [])

/** Throws SealKeyError. */
function keysOf(home: Home, entries: readonly KeyEntry[]): SealKeys {
  const keys = entries.map(({ key }) => sealKeyOf(Buffer.from(key, 'base64url')))
  const [current] = keys
  if (current === undefined || keys.some(({ bytes }) => bytes.length !== keyLength))
    throw new SealKeyError(
      `${home.sealKeys} holds no keys of Outpool`,
      'put the right file back; without it, what the engine stores cannot be read any more',
    )
  return new KeyRing([current, ...keys])
}

/** Keys that stay as they are. The first one seals. */
export class KeyRing implements SealKeys {
  readonly current: SealKey
  readonly byId: ReadonlyMap<string, SealKey>

  constructor(keys: readonly [SealKey, ...SealKey[]]) {
    this.current = keys[0]
    this.byId = new Map(keys.map((key) => [key.id, key]))
  }

  find(id: string): SealKey | undefined {
    return this.byId.get(id)
  }
}

export const sealKeyOf = (bytes: Buffer): SealKey => ({
  id: createHash('sha256').update('outpool key id').update(bytes).digest('hex').slice(0, 12),
  bytes,
})

/** Null if the file does not exist. Throws SealKeyError for one that others may read or may have written. */
function readPrivateFile(path: string): string | null {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw new SealKeyError(
      `${path} cannot be read: ${messageOf(error)}`,
      'it has to be a file of yours with mode 0600, and no link',
      { cause: error },
    )
  }
  try {
    const { uid, mode, size } = fstatSync(file)
    const isPrivate = uid === process.getuid?.() && (mode & 0o170000) === 0o100000 && (mode & 0o077) === 0
    if (!isPrivate || size > maxSize)
      throw new SealKeyError(
        `${path} is not a private file of yours, so anyone may have made or read its keys`,
        `if you are sure that no one else has read or changed it: chmod 600 ${path}`,
      )
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Hundreds of keys. Bytes. */
const maxSize = 64_000

/** The file appears with its whole content, on disk, or not at all. Leaves an existing one as it is. */
function createOnce(path: string, content: string): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
    linkSync(temporary, path)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  } finally {
    closeSync(file)
    rmSync(temporary, { force: true })
  }
}
