/** A new, empty OUTPOOL_HOME for each test of a file, removed after it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { type Home, openHome } from '../../config/state/home.js'

/** `use` gets the home before each test. */
export function eachWithHome(use: (home: Home) => void): void {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'outpool-host-'))
    use(openHome({ OUTPOOL_HOME: dir }))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
}
