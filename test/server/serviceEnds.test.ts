/** How a service has ended is told from its pane, which learns of it later than the system. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { findServiceProcess, servicePane } from '../../activities/services/findProcess.js'
import { ServiceContext } from '../../activities/services/serviceContext.js'
import { parseConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { Host } from '../../host/host.js'
import { until } from '../../lab/until.js'

let dir: string
let host: Host

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-ends-'))
  mkdirSync(join(dir, 'max-1'))
  const text = `
pool: { accounts: [{ name: max-1, configDir: ${join(dir, 'max-1')} }] }
services: [{ name: bot, run: [/bin/false], cwd: ${dir} }]`
  host = new Host(openHome({ OUTPOOL_HOME: join(dir, 'state') }), parseConfig(text, join(dir, 'x.yaml'), {}))
})
afterEach(async () => {
  vi.restoreAllMocks()
  host.tmux.close()
  await execa('tmux', ['-S', host.home.tmuxSocket, 'kill-server'], { reject: false })
  rmSync(dir, { recursive: true, force: true })
})

it('law 10: a service that ended before its process was recorded, and before tmux knew of it', async () => {
  const context = new ServiceContext(host)
  context.records.save('bot', { fence: 1, process: null })
  const session = servicePane('bot')
  const argv = ['/bin/sh', '-c', 'read -r _; exit 7']
  const running = await host.tmux.spawn({ session, fence: 1, cwd: dir, argv, status: '' })
  await host.tmux.press(running.id, ['Enter'])
  await until(
    'the end of the service',
    () => host.tmux.pane(session),
    (pane) => pane?.dead === true,
  )
  vi.spyOn(host.tmux, 'pane').mockResolvedValueOnce(running)
  const found = await findServiceProcess(host, context.records, context.service('bot'))
  expect(found).toEqual({ process: null, exitReason: 'it ended with exit code 7' })
})
