/**
 * Services that other programs start: found by their pid file, unit or pane, and restarted by a command, or
 * by a person.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { processStart } from '../../host/process/processes.js'
import { FakeSystemdPrograms } from '../../lab/machine/systemdPrograms.js'
import { until } from '../../lab/until.js'
import { WatchdogHarness, serviceProgram } from './watchdogHarness.js'

const names = ['filed', 'unit', 'machine', 'paned', 'shown']

let watchdog: WatchdogHarness
let systemd: FakeSystemdPrograms

/** The user's own tmux server, for this test alone. */
const tmux = (...args: string[]): string =>
  execFileSync('tmux', ['-f', '/dev/null', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const program = (name: string): string =>
  `cd '${watchdog.path(name, '.')}' && exec '${process.execPath}' ../${serviceProgram} ${name}`
const sh = (script: string): string[] => ['/bin/sh', '-c', script]

/** As daemons do: it returns once what it leaves behind has a terminal session and a pid file. */
const daemonizes = `rm -f pid
setsid sh -c 'echo $$ > pid; exec sh ../filed.sh' > /dev/null 2>&1 &
until [ -s pid ]; do sleep 0.05; done`

beforeAll(async () => {
  watchdog = await WatchdogHarness.open([
    { name: 'filed', config: { pidFile: 'filed/pid', run: sh(daemonizes) } },
    {
      name: 'unit',
      config: { unit: 'unit.service', run: ['systemctl', '--user', 'restart', 'unit.service'] },
    },
    { name: 'machine', config: { unit: 'system:machine.service' } },
    {
      name: 'paned',
      config: { pane: 'paned:0.0', run: sh('tmux -f /dev/null new-session -d -s paned sh ../paned.sh') },
    },
    { name: 'shown', config: { pane: 'shown:0.0' } },
  ])
  for (const name of names) watchdog.write(`${name}.sh`, program(name))
  systemd = new FakeSystemdPrograms(watchdog.dir)
  for (const name of ['unit', 'machine']) systemd.addUnit(`${name}.service`, program(name))
  vi.stubEnv('PATH', `${systemd.folder}:${process.env['PATH'] ?? ''}`)
  vi.stubEnv('TMUX_TMPDIR', watchdog.dir)
  vi.stubEnv('TMUX', undefined)
  await watchdog.startWorker()
})

afterAll(async () => {
  await watchdog.close(names)
  try {
    tmux('kill-server')
  } catch {
    // It ended with its last session.
  }
  vi.unstubAllEnvs()
})

/**
 * Killed, it is started by its command; silent, it is ended first. Each is a separate incident, which is over
 * then.
 */
async function expectStartedAgain(name: string): Promise<void> {
  await watchdog.untilWell(name)
  const [first] = await watchdog.alive(name)
  process.kill(first!, 'SIGKILL')
  await watchdog.untilWell(name, 2)
  const [second] = await watchdog.alive(name)
  watchdog.mode(name, `quiet ${second!}`)
  await watchdog.untilWell(name, 3)
  expect(await processStart(second!)).toBeNull()
  expect(watchdog.starts(name)).toHaveLength(3)
  const incidents = await until(
    `the incidents of ${name}`,
    () => Promise.resolve(watchdog.incidents(name)),
    (all) => all.length === 2 && all.every(({ outcome }) => outcome === 'recovered'),
  )
  expect(incidents.map(({ timeline }) => timeline[0]?.what.split(':')[0])).toEqual(['missing', 'frozen'])
}

/** Missing, it is left to a person, who is notified; once they have started it, it is guarded again. */
async function expectLeftToPerson(name: string, why: RegExp, start: () => void): Promise<void> {
  const { attention } = await until(
    `a notice about ${name}`,
    () => watchdog.card(name),
    (card) => card.attention !== null,
  )
  expect(attention).toMatch(why)
  expect(attention).toContain('start it again yourself')
  start()
  await until(
    `the return of ${name}`,
    () => watchdog.card(name),
    ({ state, incident }) => state === 'running' && incident === null,
  )
  const [pid] = await watchdog.alive(name)
  expect((await watchdog.check(name)).service.pid).toBe(pid)
  expect(watchdog.starts(name)).toHaveLength(1)
}

describe.concurrent('a service that other programs start', () => {
  it('is found by its pid file, and started by a command', () => expectStartedAgain('filed'))

  it('is found by its unit, and started by systemd, which ends it as well', async () => {
    await expectStartedAgain('unit')
    const restarts = systemd
      .recordedCalls('systemctl')
      .filter((line) => line.endsWith('restart unit.service'))
    expect(restarts).toEqual(Array(3).fill('--user restart unit.service'))
  })

  it('is found by its pane, and started by a command', () => expectStartedAgain('paned'))

  it('is left to a person if Outpool has no command: a unit of the machine', async () => {
    await expectLeftToPerson('machine', /machine\.service is failed, exit-code/, () => {
      execFileSync('systemctl', ['start', 'machine.service'])
    })
    expect(systemd.recordedCalls('systemctl')).toContain(
      'show machine.service --property=MainPID,ActiveState,Result,LoadState',
    )
  })

  it('is left to a person if Outpool has no command: a pane', () =>
    expectLeftToPerson('shown', /there is no pane shown:0\.0/, () => {
      tmux('new-session', '-d', '-s', 'shown', 'sh', watchdog.path('.', 'shown.sh'))
    }))
})
