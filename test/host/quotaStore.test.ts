/** What is stored of an account's windows and login. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { QuotaStore } from '../../host/state/quotaStore.js'
import type { Home } from '../../config/state/home.js'
import { eachWithHome } from './eachWithHome.js'

let home: Home
eachWithHome((made) => (home = made))

describe('the stored readings of an account', () => {
  const window = (used: number, readAt: string) => ({
    name: 'five_hour',
    used,
    resetsAt: '2026-11-22T12:00:00.000Z',
    readAt,
    source: 'status-line' as const,
  })

  it('survive a restart; the newest data wins, not the newest file', () => {
    new QuotaStore(home).recordWindows('max-1', [window(0.5, '2026-11-22T10:00:00.000Z')])
    const again = new QuotaStore(home)
    again.recordWindows('max-1', [window(0.1, '2026-11-22T09:00:00.000Z')])
    expect(new QuotaStore(home).read('max-1').windows).toMatchObject([{ used: 0.5 }])
  })

  it('a truncated file counts as nothing known', () => {
    mkdirSync(home.quota, { recursive: true })
    writeFileSync(join(home.quota, 'max-1.json'), '{"account":"max-1","wind')
    expect(new QuotaStore(home).read('max-1')).toMatchObject({ windows: [], login: 'unknown' })
  })

  it('a login seen earlier does not undo a later loss', () => {
    const store = new QuotaStore(home)
    store.recordLogin('max-1', 'out', '2026-11-22T10:00:00.000Z')
    store.recordLogin('max-1', 'in', '2026-11-22T09:00:00.000Z')
    expect(store.read('max-1').login).toBe('out')
    store.recordLogin('max-1', 'in', '2026-11-22T11:00:00.000Z')
    expect(store.read('max-1').login).toBe('in')
  })
})
