/** Fetches a program from Temporal's official download: an archive, pinned by its hash. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import { StepFailed, type Fetch, type Say } from './install.js'
import { messageOf } from '../../policy/errorFacts.js'

/** Base URL of the archives. OUTPOOL_TEMPORAL_DOWNLOAD names another host that serves the same archives. */
const officialDownload = 'https://temporal.download/cli/archive'

export interface Download {
  /** The archive is fetched from `<base>/v<version>?platform=<os>&arch=<arch>`. */
  base: string
  /** Milliseconds without one new byte (the answer's first included) after which the host counts as silent. */
  stall: number
}

export const downloadOf = (env: NodeJS.ProcessEnv): Download => ({
  base: env['OUTPOOL_TEMPORAL_DOWNLOAD'] ?? officialDownload,
  stall: 20_000,
})

/** A Fetch that loads, checks and unpacks the pinned archive. */
export const fromDownload =
  ({ base, stall }: Download, say: Say): Fetch =>
  async ({ program, platform }, folder) => {
    const pin = program.builds[platform]?.archive
    if (pin === undefined) throw new StepFailed(`no archive of ${program.name} is pinned for ${platform}`)
    const [os = '', arch = ''] = platform.split('-')
    const url = `${base}/v${program.version}?platform=${os}&arch=${arch}`
    const archive = join(folder, 'archive.tar.gz')
    const found = await load(url, archive, stall, say)
    if (found !== pin)
      throw new StepFailed(`wrong checksum of the archive at ${url}: expected sha256 ${pin}, got ${found}`)
    const unpacked = await execa('tar', ['-xzf', archive, '-C', folder, program.name], { reject: false })
    if (unpacked.failed)
      throw new StepFailed(`the archive at ${url} cannot be unpacked: ${unpacked.stderr || unpacked.message}`)
    return join(folder, program.name)
  }

/** Downloads `url` to `file` and returns its sha256. Throws StepFailed. */
async function load(url: string, file: string, stall: number, say: Say): Promise<string> {
  const silence = new AbortController()
  const timer = setTimeout(() => {
    silence.abort()
  }, stall)
  let done = 0
  let total: number | null = null
  try {
    const answer = await fetch(url, { signal: silence.signal, headers: { 'accept-encoding': 'identity' } })
    if (!answer.ok || answer.body === null) {
      await answer.body?.cancel()
      throw new StepFailed(`${url} answered ${answer.status} ${answer.statusText}`.trim())
    }
    const length = answer.headers.get('content-length')
    total = length === null ? null : Number(length)
    say(`Loading ${url}${total === null ? '' : ` (${megabytes(total)})`} ...`)
    const hash = createHash('sha256')
    let reported = 0
    await pipeline(
      Readable.fromWeb(answer.body),
      async function* (source: AsyncIterable<Uint8Array>) {
        for await (const chunk of source) {
          timer.refresh()
          done += chunk.length
          hash.update(chunk)
          const tenth = total === null ? 0 : Math.floor((done / total) * 10)
          if (tenth > reported) say(`Loaded ${tenth * 10} % of ${megabytes(total ?? done)}`)
          reported = tenth
          yield chunk
        }
      },
      createWriteStream(file),
    )
    if (total !== null && done !== total) throw cut(url, done, total)
    return hash.digest('hex')
  } catch (error) {
    if (error instanceof StepFailed) throw error
    if (silence.signal.aborted)
      throw new StepFailed(
        done === 0
          ? `${url} gave no answer within ${stall / 1000} s`
          : `${url} fell silent after ${megabytes(done)}`,
      )
    if (done > 0 && isNetwork(error)) throw cut(url, done, total)
    if (isNetwork(error)) throw new StepFailed(`${hostOf(url)} cannot be reached: ${causeOf(error)}`)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

const cut = (url: string, done: number, total: number | null): StepFailed =>
  new StepFailed(`${url} was cut off after ${done} of ${total ?? 'unknown'} bytes`)

/** fetch reports every connection error as a TypeError, with the details in its cause. */
const isNetwork = (error: unknown): boolean => error instanceof TypeError

const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url)

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
