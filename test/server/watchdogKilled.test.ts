/**
 * Law 7 for services: a real worker process is killed in the middle of what its watchdog does, at each
 * critical point.
 */
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processStart } from '../../host/process/processes.js'
import { KillingTmux } from '../../lab/machine/killingTmux.js'
import { until } from '../../lab/until.js'
import { WatchdogHarness } from './watchdogHarness.js'

const names = ['together', 'ordered', 'started', 'asked', 'first']

let watchdog: WatchdogHarness
let tmux: KillingTmux
let worker: ChildProcess
let watching: ReturnType<WatchdogHarness['watchDoubles']>

async function startWorker(): Promise<void> {
  const { child, ready } = watchdog.startWorkerProcess({
    PATH: `${tmux.folder}:${process.env['PATH'] ?? ''}`,
  })
  worker = child
  await ready
}
const untilKilled = (): Promise<unknown> =>
  until(
    'the end of the worker',
    () => Promise.resolve(worker.signalCode),
    (signal) => signal === 'SIGKILL',
  )
async function killService(name: string): Promise<void> {
  const [pid] = await watchdog.alive(name)
  process.kill(pid!, 'SIGKILL')
}

beforeAll(async () => {
  watchdog = await WatchdogHarness.open(names.map((name) => ({ name })))
  tmux = await KillingTmux.install(watchdog.dir)
  watching = watchdog.watchDoubles(names)
})

afterAll(async () => {
  watching.stop()
  worker.kill('SIGKILL')
  await watchdog.close(names)
})

describe('law 7: a worker that is killed', () => {
  it('law 7: at the very first start of a service leaves it running, and it is not started again', async () => {
    tmux.killAt('after', 'new-session', 'service/first')
    await startWorker()
    await untilKilled()
    await startWorker()
    await Promise.all(names.map((name) => watchdog.untilWell(name)))
    expect(watchdog.starts('first')).toHaveLength(1)
  })

  it('law 7: together with a service has it started again once', async () => {
    await killService('together')
    worker.kill('SIGKILL')
    await untilKilled()
    await startWorker()
    await watchdog.untilWell('together', 2)
    expect(watchdog.starts('together')).toHaveLength(2)
  })

  it('law 7: before anything of the restart has happened does not keep the service down', async () => {
    tmux.killAt('before', 'respawn-pane', 'services/ordered')
    await killService('ordered')
    await untilKilled()
    expect(await watchdog.alive('ordered')).toEqual([])
    await startWorker()
    await watchdog.untilWell('ordered', 2)
    expect(watchdog.starts('ordered')).toHaveLength(2)
  })

  it('law 7: after the service was started and before that is known keeps the process', async () => {
    tmux.killAt('after', 'respawn-pane', 'services/started')
    await killService('started')
    await untilKilled()
    await until(
      'its second process',
      () => watchdog.alive('started'),
      (alive) => alive.length === 1,
    )
    await startWorker()
    await watchdog.untilWell('started', 2)
    expect(watchdog.starts('started')).toHaveLength(2)
  })

  it('law 7: between TERM and KILL has the frozen service ended all the same, and started once', async () => {
    const [frozen] = await watchdog.alive('asked')
    watchdog.mode('asked', `deaf ${frozen!} ${worker.pid!}`)
    await untilKilled()
    expect(await processStart(frozen!)).not.toBeNull()
    await startWorker()
    await watchdog.untilWell('asked', 2)
    expect(await processStart(frozen!)).toBeNull()
    expect(watchdog.starts('asked')).toHaveLength(2)
  })

  it('law 14: each outage and restart is an event, once, whenever the worker was killed', async () => {
    await Promise.all(names.map((name) => watchdog.untilWell(name)))
    const restarted = names.filter((name) => name !== 'first').sort()
    const events = await until(
      'the end of each incident as an event',
      () => Promise.resolve(watchdog.events()),
      (all) => all.filter(({ kind }) => kind === 'service-back').length >= restarted.length,
    )
    const servicesOf = (...kinds: string[]) =>
      events
        .flatMap((event) => ('service' in event && kinds.includes(event.kind) ? [event.service] : []))
        .sort()
    expect(servicesOf('service-missing', 'service-frozen')).toEqual(restarted)
    expect(servicesOf('service-restarted')).toEqual(restarted)
    expect(servicesOf('service-back')).toEqual(restarted)
    const deaths = events.filter((event) => event.kind === 'worker-down' && event.how === 'died')
    expect(deaths).toHaveLength(events.filter(({ kind }) => kind === 'worker-up').length - 1)
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  })

  it('law 7: two processes of one service never lived at the same time', () => {
    expect(watching.stop()).toEqual([])
  })
})
