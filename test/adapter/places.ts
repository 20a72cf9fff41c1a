/** Places of an agent program for a test file: config dirs below a folder that is removed when its tests have ended. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Place } from '../../agents/adapter/place.js'

export function testPlaces() {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'adapter-places-')))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  let n = 0
  /** An empty folder. */
  const fresh = (): string => {
    const folder = join(dir, `${++n}`)
    mkdirSync(folder, { recursive: true })
    return folder
  }
  const place = (env: Record<string, string> = {}): Place => ({
    kind: 'account',
    name: 'a',
    configDir: fresh(),
    env: { HOME: join(dir, 'home'), ...env },
  })
  return { dir, fresh, place }
}

export const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
export const writeJson = (file: string, content: unknown): void =>
  writeFileSync(file, JSON.stringify(content))
