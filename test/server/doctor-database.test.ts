/** What `outpool doctor` reports about the embedded engine's database, intact and damaged. */
import {
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Home, openHome } from '../../config/state/home.js'
import { checkDatabase } from '../../worker/doctor/database.js'
import { devServer } from '../../lab/engine/engine.js'

let dir: string
let home: Home
let whole: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-database-'))
  const server = await devServer({ dir })
  home = server.home
  // While the server has it open, with its last writes still in the file beside it.
  expect(await checkDatabase(home)).toMatchObject([
    { state: 'ok', found: expect.stringContaining('intact') as string },
  ])
  await server.stop()
  whole = join(dir, 'whole.db')
  copyFileSync(home.database, whole)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('law 7: the database', () => {
  it('is reported intact after a server has closed it', async () => {
    expect(await checkDatabase(home)).toMatchObject([{ state: 'ok' }])
  })

  it.each([
    ['overwritten at its beginning', () => writeSync(openSync(home.database, 'r+'), 'x'.repeat(4096), 0)],
    ['cut off', () => truncateSync(home.database, 3 * 4096)],
    [
      'torn in the middle',
      () => {
        const file = openSync(home.database, 'r+')
        for (let page = 2; page < 40; page++) writeSync(file, Buffer.alloc(512, 0xa5), 0, 512, page * 4096)
      },
    ],
    ['of another program', () => writeFileSync(home.database, readFileSync(otherDatabase()))],
    ['not a database at all', () => writeFileSync(home.database, 'pool:\n  accounts: []\n'.repeat(50))],
  ])('that is %s fails the check, with advice', async (_, spoil) => {
    copyFileSync(whole, home.database)
    for (const suffix of ['-wal', '-shm']) rmSync(home.database + suffix, { force: true })
    spoil()
    const [finding] = await checkDatabase(home)
    expect(finding).toMatchObject({ name: 'database', state: 'fail' })
    expect(finding!.found).toContain('is damaged')
    expect(finding!.remedy).toContain('outpool up')
  })

  it('that does not exist yet is no finding', async () => {
    const fresh = openHome({ OUTPOOL_HOME: join(dir, 'fresh') })
    expect(await checkDatabase(fresh)).toEqual([])
  })
})

/** The smallest possible database: one page without a table. */
function otherDatabase(): string {
  const page = Buffer.alloc(4096)
  page.write('SQLite format 3\0', 0, 'latin1')
  page.writeUInt16BE(4096, 16)
  page.set([1, 1, 0, 64, 32, 32], 18)
  page.writeUInt32BE(1, 24)
  page.writeUInt32BE(1, 28)
  page.writeUInt32BE(4, 44)
  page.writeUInt32BE(1, 56)
  page.writeUInt32BE(1, 92)
  page.set([13, 0, 0, 0, 0, 0x10, 0x00, 0], 100)
  const file = join(dir, 'other.db')
  writeFileSync(file, page)
  return file
}
