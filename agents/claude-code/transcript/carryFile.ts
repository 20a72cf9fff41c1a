/** Copies one file so that a crash leaves the old or the new state, and verifies that every byte arrived. */
import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { openRegular } from '../../files.js'
import { resolveRealPath } from '../paths.js'
import { errorCode } from '../../../policy/errorFacts.js'

/** Thrown when the source changed while it was read, so its process is still alive. */
export class SourceChanged extends Error {}

/** Thrown when the copy, read back, differs from what was written. */
export class CopyDiffers extends Error {}

const unfinishedMark = '.carrying-'
const unfinishedStaleMs = 3_600_000
const chunkBytes = 1024 * 1024

interface FileDigest {
  bytes: number
  sha256: string
}

/**
 * Copies `source` to `target`, with mode 0600. A target that is an earlier state of the source (a prefix) is replaced. One that
 * continues the source is left as it is. One that has diverged is first kept as `<name>.kept-<time>`. Returns the size of the
 * target in bytes.
 */
export async function carryFile(source: string, target: string): Promise<number> {
  if (resolveRealPath(source) === resolveRealPath(target)) return (await stat(source)).size
  const folder = dirname(target)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await removeUnfinished(folder, basename(target))
  const relation = await compare(source, target)
  if (relation === 'same' || relation === 'ahead') return (await stat(target)).size
  const fresh = join(folder, `.${basename(target)}${unfinishedMark}${randomBytes(6).toString('hex')}`)
  try {
    const written = await copy(source, fresh)
    const [read, again] = [await digestOf(fresh), await digestOf(source)]
    if (read.bytes !== written.bytes || read.sha256 !== written.sha256)
      throw new CopyDiffers(`${target}: ${read.bytes} of ${written.bytes} bytes, or other ones`)
    if (again.sha256 !== written.sha256) throw new SourceChanged(source)
    if (relation === 'diverged') await setAside(target)
    await rename(fresh, target)
    await syncFolder(folder)
    return written.bytes
  } finally {
    await rm(fresh, { force: true })
  }
}

/** Links the file at `target` to a second name, under which it stays when `target` is replaced. */
export async function setAside(target: string): Promise<string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  for (let n = 0; ; n++) {
    const kept = `${target}.kept-${time}${n === 0 ? '' : `-${n}`}`
    try {
      await link(target, kept)
      return kept
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
  }
}

/** Compares `target` with `source`: `behind` and `ahead` mean that one is a prefix of the other. */
export async function compare(
  source: string,
  target: string,
): Promise<'missing' | 'same' | 'behind' | 'ahead' | 'diverged'> {
  const there = await stat(target).catch(() => null)
  if (there === null) return 'missing'
  const here = await stat(source)
  const shared = Math.min(here.size, there.size)
  const [a, b] = [await digestOf(source, shared), await digestOf(target, shared)]
  if (a.sha256 !== b.sha256) return 'diverged'
  if (here.size === there.size) return 'same'
  return there.size < here.size ? 'behind' : 'ahead'
}

async function digestOf(file: string, bytes?: number): Promise<FileDigest> {
  const hash = createHash('sha256')
  let read = 0
  if (bytes === 0) return { bytes: 0, sha256: hash.digest('hex') }
  const options = bytes === undefined ? {} : { end: bytes - 1 }
  const stream = (await openRegular(file)).createReadStream({ ...options, highWaterMark: chunkBytes })
  for await (const chunk of stream as AsyncIterable<unknown>) {
    if (!Buffer.isBuffer(chunk)) continue
    hash.update(chunk)
    read += chunk.length
  }
  return { bytes: read, sha256: hash.digest('hex') }
}

async function copy(source: string, fresh: string): Promise<FileDigest> {
  const from = await openRegular(source)
  try {
    const to = await open(fresh, 'wx', 0o600)
    try {
      const print = await copyAndHash(from, to)
      await to.sync()
      return print
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}

async function copyAndHash(from: FileHandle, to: FileHandle): Promise<FileDigest> {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(chunkBytes)
  let bytes = 0
  for (;;) {
    const { bytesRead } = await from.read(chunk, 0, chunk.length, bytes)
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') }
    const part = chunk.subarray(0, bytesRead)
    hash.update(part)
    for (let done = 0; done < bytesRead;)
      done += (await to.write(part, done, bytesRead - done, bytes + done)).bytesWritten
    bytes += bytesRead
  }
}

/** Removes unfinished copies of a crash; younger ones may still be in progress. */
async function removeUnfinished(folder: string, name: string): Promise<void> {
  const old = Date.now() - unfinishedStaleMs
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(`.${name}${unfinishedMark}`)) continue
    const info = await stat(join(folder, entry)).catch(() => null)
    if (info !== null && info.mtimeMs < old) await rm(join(folder, entry), { force: true })
  }
}

/** A rename is durable only after its folder was synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
