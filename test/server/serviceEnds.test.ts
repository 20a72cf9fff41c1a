/** How a service has ended is told from its pane, which learns of it later than the system. */
import { afterEach, expect, it, vi } from 'vitest'
import { findServiceProcess, servicePane } from '../../activities/services/findProcess.js'
import { ServiceContext } from '../../activities/services/serviceContext.js'
import type { Host } from '../../host/host.js'
import { processStart } from '../../host/process/processes.js'
import type * as trees from '../../host/process/tree.js'
import type { Pane } from '../../host/tmux/panes.js'
import { until } from '../../lab/until.js'
import { eachWithHost } from './eachWithHost.js'

let dir: string
let host: Host

eachWithHost(
  (...made) => ([host, dir] = made),
  (folder) => `services: [{ name: bot, run: [/bin/false], cwd: ${folder} }]`,
)

/** Replaced by a test that has something happen just before the processes of the host are listed. */
const beforeListing = vi.hoisted(() => ({ run: () => Promise.resolve() }))
vi.mock('../../host/process/tree.js', async (importOriginal) => {
  const original = await importOriginal<typeof trees>()
  const processTree = async (root: number): Promise<Map<number, number>> => {
    await beforeListing.run()
    return original.processTree(root)
  }
  return { ...original, processTree }
})
afterEach(() => {
  beforeListing.run = () => Promise.resolve()
})

/** A service that runs in its pane until it is ended with exit code 7. */
async function startService(): Promise<{ running: Pane; end: () => Promise<void> }> {
  const session = servicePane('bot')
  const argv = ['/bin/sh', '-c', 'read -r _; exit 7']
  const running = await host.tmux.spawn({ session, fence: 1, cwd: dir, argv, status: '' })
  const end = async (): Promise<void> => {
    await host.tmux.press(running.id, ['Enter'])
    await until(
      'the end of the service',
      () => host.tmux.pane(session),
      (pane) => pane?.dead === true,
    )
  }
  return { running, end }
}

const ended = { process: null, exitReason: 'it ended with exit code 7' }

it('law 10: the exit code is told of a service that ended before it was recorded, and before tmux knew', async () => {
  const context = new ServiceContext(host)
  context.records.save('bot', { fence: 1, process: null })
  const { running, end } = await startService()
  await end()
  vi.spyOn(host.tmux, 'pane').mockResolvedValueOnce(running)
  expect(await findServiceProcess(host, context.records, context.service('bot'))).toEqual(ended)
})

it.each(['recorded', 'not recorded'])(
  'law 10: the exit code is told of a service, %s, that ends while it is looked for',
  async (how) => {
    const context = new ServiceContext(host)
    const { running, end } = await startService()
    const { pid } = running
    const start = await processStart(pid)
    const process = how === 'recorded' && start !== null ? { pid, start } : null
    context.records.save('bot', { fence: 1, process })
    beforeListing.run = end
    expect(await findServiceProcess(host, context.records, context.service('bot'))).toEqual(ended)
  },
)
