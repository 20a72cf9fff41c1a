/** A stand-in for the host of Temporal's archives: serves one archive correctly, badly, or not at all. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex')

/** A `temporal` that can only print its version; enough to find and install one. */
export const fakeTemporal = (cli = '1.9.1', server = '1.32.0'): string =>
  `#!/bin/sh\necho "temporal version ${cli} (Server ${server}, UI 2.54.1)"\n`

export interface Archive {
  bytes: Buffer
  sha256: string
  programSha256: string
}

/** A real archive as Temporal publishes them: the program `temporal` and a licence. */
export async function makeArchive(program: string): Promise<Archive> {
  const folder = await mkdtemp(join(tmpdir(), 'outpool-archive-'))
  try {
    await writeFile(join(folder, 'temporal'), program, { mode: 0o755 })
    await writeFile(join(folder, 'LICENSE'), 'MIT\n')
    await execa('tar', ['-czf', 'archive.tar.gz', 'LICENSE', 'temporal'], { cwd: folder })
    const bytes = await readFile(join(folder, 'archive.tar.gz'))
    return { bytes, sha256: sha256(bytes), programSha256: sha256(program) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export interface DownloadHost {
  base: string
  /** The requests so far, path and query. */
  requests: string[]
  stop: () => Promise<void>
}

export async function downloadHost(answer: (response: ServerResponse) => void): Promise<DownloadHost> {
  const received: string[] = []
  const server = createServer((request, response) => {
    received.push(request.url ?? '')
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    base: `http://127.0.0.1:${address.port}/cli/archive`,
    requests: received,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
