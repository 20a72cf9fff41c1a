import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sweep } from '../../activities/sweep.js'
import { type Home, openHome } from '../../config/home.js'

const hour = 3_600_000
const now = Date.now()

let home: Home
beforeEach(() => (home = openHome({ OUTPOOL_HOME: mkdtempSync(join(tmpdir(), 'outpool-sweep-')) })))
afterEach(() => rmSync(home.dir, { recursive: true, force: true }))

/** A file that was last written so many hours ago. */
function file(path: string, hoursOld: number): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
  const at = new Date(now - hoursOld * hour)
  utimesSync(path, at, at)
}

it('removes what crashes left behind, and nothing that somebody may still want', () => {
  const session = join(home.sessions, 'alpha')
  const kept = [
    join(home.reports, 'alpha.3.Stop.12-1'),
    join(home.reports, '.alpha.3.Stop.13-1'),
    join(session, 'record.json'),
    join(session, 'draft'),
    join(session, 'settings.json'),
    join(session, 'launch-4.sh'),
  ]
  for (const path of kept) file(path, 0.5)
  for (const name of ['record.json', 'draft', 'settings.json']) file(join(session, name), 10_000)
  file(join(home.reports, 'alpha.3.Stop.12-1'), 10_000)
  const left = [
    join(home.reports, '.alpha.2.StatusLine.last.taken'),
    join(session, 'record.json.77.3.tmp'),
    join(session, 'settings.json.new'),
    join(session, 'launch-3.sh'),
    join(home.dir, 'live.json.77.1.tmp'),
    join(home.quota, 'max-1.json.77.2.tmp'),
  ]
  for (const path of left) file(path, 30)
  expect(sweep(home, now)).toBe(left.length)
  expect(readdirSync(home.reports).sort()).toEqual(['.alpha.3.Stop.13-1', 'alpha.3.Stop.12-1'])
  expect(readdirSync(session).sort()).toEqual(['draft', 'launch-4.sh', 'record.json', 'settings.json'])
  expect(readdirSync(home.quota)).toEqual([])
  expect(sweep(home, now)).toBe(0)
})
