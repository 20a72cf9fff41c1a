/** Made-up transcripts for a test file, in a folder that is removed when its tests have ended. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

export function testTranscripts() {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'adapter-transcripts-')))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  let n = 0
  const file = (...entries: string[]): string => {
    const path = join(dir, `${++n}.jsonl`)
    writeFileSync(path, entries.join(''))
    return path
  }
  return { dir, file }
}

export const at = '2026-11-22T03:00:00.000Z'
export const answer = (text: string, more: object = {}): string =>
  `${JSON.stringify({ type: 'assistant', isSidechain: false, timestamp: at, message: { model: 'm', content: [{ type: 'text', text }] }, ...more })}\n`
export const prompt = (content: unknown, more: object = {}): string =>
  `${JSON.stringify({ type: 'user', isSidechain: false, timestamp: at, message: { role: 'user', content }, ...more })}\n`
