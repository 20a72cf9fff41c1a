/** How a service has ended is told from its pane, which learns of it later than the system. */
import { expect, it, vi } from 'vitest'
import { findServiceProcess, servicePane } from '../../activities/services/findProcess.js'
import { ServiceContext } from '../../activities/services/serviceContext.js'
import type { Host } from '../../host/host.js'
import { until } from '../../lab/until.js'
import { eachWithHost } from './eachWithHost.js'

let dir: string
let host: Host

eachWithHost(
  (...made) => ([host, dir] = made),
  (folder) => `services: [{ name: bot, run: [/bin/false], cwd: ${folder} }]`,
)

it('law 10: the exit code is told of a service that ended before it was recorded, and before tmux knew', async () => {
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
