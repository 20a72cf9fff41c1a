/** `outpool service` and what it installs: the unit's own text, run by a small supervisor that follows it. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServiceView } from '../../policy/service/service.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { lacksSystemdNotify } from '../../lab/machine/notifySocket.js'
import { Supervisor } from '../../lab/machine/supervisor.js'
import { groupOf, FakeSystemdPrograms } from '../../lab/machine/systemdPrograms.js'
import { until } from '../../lab/until.js'

let fleet: Fleet
let systemd: FakeSystemdPrograms
let supervisor: Supervisor
let unit: string

/** Two minutes without a sign of life are too long for a test; a person may also set this in a drop-in. */
const dropIn = '[Service]\nWatchdogSec=6s\n'

beforeAll(async () => {
  fleet = await startFleet({
    engine: 'own',
    accounts: ['max-1'],
    config: {
      substrates: [
        { name: 'key', agent: 'claude-code', env: { ANTHROPIC_API_KEY: { fromEnv: 'NO_SUCH_KEY' } } },
      ],
      services: [{ name: 'bot', run: ['sleep', '100000'], every: '1s' }],
    },
  })
  systemd = new FakeSystemdPrograms(fleet.dir)
  fleet.env['PATH'] = `${systemd.folder}:${fleet.env['PATH'] ?? ''}`
})
afterAll(() => fleet.close())

const unitFile = (): string => join(fleet.env['HOME']!, '.config', 'systemd', 'user', 'outpool.service')

describe('outpool service', () => {
  it('shows the unit and writes nothing; installs it, reports its state, and removes it again', async () => {
    const { code, stdout } = await fleet.run('service', 'install', '--print')
    expect(code).toBe(0)
    unit = stdout
    expect(existsSync(unitFile())).toBe(false)
    expect((await fleet.run('service', 'status')).stderr).toContain('no service is installed')
    expect(systemd.recordedCalls('systemctl')).toEqual([])

    const installed = await fleet.run('service', 'install')
    expect(installed).toMatchObject({ code: 0 })
    expect(installed.stderr).toContain('write NO_SUCH_KEY=… into')
    expect(readFileSync(unitFile(), 'utf8').trim()).toBe(unit.trim())
    expect(systemd.recordedCalls('systemctl')).toEqual([
      '--user daemon-reload',
      '--user enable --now outpool.service',
    ])

    systemd.answer(0, 'active')
    const active = await fleet.run('service', 'status')
    expect(active.code).toBe(0)
    expect(active.stdout).toContain('systemd: active')
    systemd.answer(3, 'failed')
    const failed = await fleet.run('service', 'status')
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('journalctl --user -u outpool')

    systemd.answer(0, '')
    expect((await fleet.run('service', 'uninstall')).code).toBe(0)
    expect(existsSync(unitFile())).toBe(false)
    expect(systemd.recordedCalls('systemctl').slice(-2)).toEqual([
      '--user disable --now outpool.service',
      '--user daemon-reload',
    ])
    expect((await fleet.run('service', 'uninstall')).code).toBe(1)
  })

  it('leaves the unit in place if systemd refuses it, and says what to do', async () => {
    systemd.answer(1, 'Failed to connect to bus')
    const { code, stderr } = await fleet.run('service', 'install')
    expect(code).toBe(1)
    expect(stderr).toMatch(/Failed to connect to bus[^]*systemctl --user enable --now outpool/)
    expect(existsSync(unitFile())).toBe(true)
    expect((await fleet.run('service', 'uninstall')).code).toBe(0)
  })

  it('for the machine: as its user, and not for a user who has not logged in', async () => {
    const { code, stdout } = await fleet.run('service', 'install', '--system', '--print')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^User=\w+$/m)
    expect(stdout).toContain('WantedBy=multi-user.target')
    expect((await fleet.run('service', 'install', '--system', '--user')).code).toBe(2)
  })
})

const bot = async (): Promise<ServiceView> => (await fleet.json<ServiceView[]>('services'))[0]!
const tmuxServer = (): number => Number(fleet.tmux('display-message', '-p', '-t', 'service/bot', '#{pid}'))

describe.skipIf(lacksSystemdNotify)('law 7: under a supervisor that follows the unit', () => {
  let pane: number
  let server: number

  beforeAll(async () => {
    const { HOME } = fleet.env
    const folder = join(HOME!, '.config', 'outpool')
    mkdirSync(folder, { recursive: true })
    const secrets = Object.entries(fleet.env)
      .filter(([name]) => name !== 'PATH')
      .map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(folder, 'environment'), secrets.join(''), { mode: 0o600 })
    const env = { PATH: '/usr/bin:/bin', HOME: HOME!, XDG_RUNTIME_DIR: fleet.dir }
    supervisor = await Supervisor.open([unit, dropIn], fleet.dir, env)
    supervisor.start()
    await supervisor.untilReady()
    pane = (await until('the bot', bot, ({ state, pid }) => state === 'running' && pid !== null)).pid!
    server = tmuxServer()
  })
  afterAll(() => supervisor.close())

  const untilEnded = (pid: number) =>
    until(
      `the end of ${pid}`,
      () => Promise.resolve(supervisor.ended.find((one) => one.pid === pid)),
      (ended) => ended !== undefined,
    )
  const expectPanesUntouched = async (): Promise<void> => {
    expect(tmuxServer()).toBe(server)
    await until('the bot', bot, ({ state, pid }) => state === 'running' && pid === pane)
  }

  it('law 7: panes live in a separate scope, outside the unit, without leftovers of its creation', async () => {
    const calls = systemd.recordedCalls('systemd-run')
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatch(/^--user --scope .*--unit=outpool-panes-[0-9a-f]{8} .* start-server$/)
    expect([server, pane].map(groupOf)).toEqual(['scope', 'scope'])
    expect(groupOf(await supervisor.untilReady())).toBe('unit')
    const environment = execFileSync('cat', [`/proc/${server}/environ`], { encoding: 'utf8' })
    expect(environment).not.toMatch(/XDG_RUNTIME_DIR|NOTIFY_SOCKET|OUTPOOL_/)
  })

  it('law 7: killed with -9, it is restarted, and finds its panes again', async () => {
    const before = await supervisor.untilReady()
    process.kill(before, 'SIGKILL')
    expect(await untilEnded(before)).toMatchObject({ signal: 'SIGKILL', byWatchdog: false })
    expect(await supervisor.untilReady()).not.toBe(before)
    await expectPanesUntouched()
  })

  it('law 7: stopped, it gives no sign of life any more, so that it is killed and restarted', async () => {
    const before = await supervisor.untilReady()
    process.kill(before, 'SIGSTOP')
    expect(await untilEnded(before)).toMatchObject({ signal: 'SIGKILL', byWatchdog: true })
    expect(await supervisor.untilReady()).not.toBe(before)
    await expectPanesUntouched()
  })

  it('law 7: panes live on when all of the unit is ended, whatever its KillMode was set to', async () => {
    await supervisor.untilReady()
    await supervisor.stop('control-group')
    expect(supervisor.group()).toEqual([])
    expect(tmuxServer()).toBe(server)
    process.kill(pane, 0)
  })
})
