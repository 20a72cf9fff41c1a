/** A host whose user may watch no further folder. */
import type * as fs from 'node:fs'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, it, vi } from 'vitest'
import { Sampler } from '../../activities/watch/sampler.js'
import { parseConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { Host } from '../../host/host.js'
import { until } from '../../lab/until.js'

vi.mock('node:fs', async (original) => ({
  ...(await original<typeof fs>()),
  watch: () => {
    throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' })
  },
}))

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'outpool-unwatched-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('law 10: the worker starts all the same, and reads the reports at each tick', async () => {
  mkdirSync(join(dir, 'max-1'))
  const text = `pool: { accounts: [{ name: max-1, configDir: ${join(dir, 'max-1')} }] }`
  const config = parseConfig(text, join(dir, 'outpool.yaml'), {})
  const host = new Host(openHome({ OUTPOOL_HOME: join(dir, 'state') }), config)
  const sampler = new Sampler(host)
  sampler.start()
  try {
    // A folder is no report, and set aside as soon as reports are read.
    mkdirSync(join(host.home.reports, 'alpha.1.SessionEnd.1-1'))
    await until(
      'the reports to be read',
      () => Promise.resolve(readdirSync(host.home.reports)),
      (names) => names.length === 0,
    )
  } finally {
    await sampler.stop()
    host.tmux.close()
  }
})
