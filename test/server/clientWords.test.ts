/** Words that people type from habit, and the versions of both sides, without an engine. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { browserOpener } from '../../client/ui/browser.js'
import { version } from '../../config/version.js'
import { processStart } from '../../host/process/processes.js'
import { until } from '../../lab/until.js'
import { newTestHome, type TestHome, useWarmCommands } from './testHome.js'

const commands = useWarmCommands()
let place: TestHome
beforeEach(() => (place = newTestHome(commands)))
afterEach(() => place.remove())

describe('words that are no commands', () => {
  it.each([
    [['kill', 'docs'], 'outpool stop docs', 'outpool pause docs'],
    [['rm', '-f', 'docs'], 'outpool forget docs', 'outpool stop docs'],
    [['remove'], 'outpool forget NAME', 'outpool accounts remove NAME'],
    [['logs', '-f', 'docs'], 'outpool events --follow --session docs', 'outpool attach docs'],
    [['logs'], 'outpool events --follow', 'outpool attach NAME'],
    [['restart', 'bot'], 'outpool services --restart bot', 'outpool pause bot'],
    [['restart', '--help'], 'outpool up --replace', 'outpool services --restart NAME'],
  ])('%j names what to type instead, with exit code 2', async (args, ...named) => {
    const { code, stdout, stderr } = await place.run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const [problem, remedy, ...more] = stderr.trimEnd().split('\n')
    expect(problem).toBe(`outpool: there is no command ${args[0] ?? ''}`)
    for (const command of named) expect(remedy).toContain(command)
    expect(more).toEqual([])
  })

  it.each([['list'], ['ps'], ['status']])('%s does what `ls` does', async (word) => {
    const [asked, ls] = await Promise.all([place.run([word, '--json']), place.run(['ls', '--json'])])
    expect(asked).toEqual(ls)
    expect(asked.code).toBe(3)
  })

  it('status says whether anything runs, and what to type', async () => {
    const { stdout, stderr } = await place.run(['status'])
    expect(stdout).toBe(`outpool is not running for ${place.home}; start it with: outpool up\n`)
    expect(stderr).toContain('`outpool doctor` checks everything')
  })

  it('stop --all asks nobody without a terminal, and takes no name', async () => {
    expect(await place.run(['stop', '--all'])).toMatchObject({
      code: 2,
      stderr: 'outpool: stop --all asks before it stops anything, and needs a terminal\n  -> or add --yes\n',
    })
    expect(await place.run(['stop', 'docs', '--all', '--yes'])).toMatchObject({ code: 2 })
    expect(await place.run(['stop'])).toMatchObject({ code: 2 })
  })
})

describe('a worker of another version', () => {
  /** A process in the place of the worker. */
  const holder = async (entry: object): Promise<number> => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' })
    await once(child, 'spawn')
    const pid = child.pid!
    const start = await processStart(pid)
    writeFileSync(join(place.home, 'worker.lock'), JSON.stringify({ pid, start, ...entry }))
    return pid
  }
  const isGone = (pid: number) =>
    until(
      'its end',
      () => processStart(pid),
      (start) => start === null,
    )

  it('--version and status name both sides; doctor says what to do', async () => {
    const pid = await holder({ version: '0.0.9' })
    try {
      expect(await place.run(['--version'])).toEqual({
        code: 0,
        stdout: `${version()}\n`,
        stderr: `outpool: the running worker (process ${pid}) is of 0.0.9; see: outpool doctor\n`,
      })
      expect((await place.run(['status'])).stdout).toBe(`outpool 0.0.9 is running (process ${pid})\n`)
      const findings = JSON.parse((await place.run(['doctor', '--json'])).stdout) as {
        name: string
        found: string
        remedy: string
      }[]
      const found = findings.find(({ name }) => name === 'version')
      expect(found?.found).toBe(`the running worker is of 0.0.9, this command of ${version()}`)
      expect(found?.remedy).toContain('outpool up --replace')
    } finally {
      process.kill(pid)
    }
  })

  it('an equal one is named by nothing', async () => {
    const pid = await holder({ version: version() })
    expect(await place.run(['--version'])).toMatchObject({ stdout: `${version()}\n`, stderr: '' })
    process.kill(pid)
  })

  it('up leaves a newer one and an equal one alone; what runs as a service is left to its manager', async () => {
    const newer = await holder({ version: '99.0.0' })
    const refused = await place.run(['up', '--replace'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(`outpool 99.0.0 (this one is ${version()}) is already running`)
    expect(refused.stderr).toContain('An older version does not replace a newer one')
    process.kill(newer)

    const equal = await holder({ version: version() })
    expect((await place.run(['up'])).stderr).toContain('outpool up --replace')
    process.kill(equal)

    const service = await holder({ version: '0.0.9', isService: true })
    expect((await place.run(['up'])).stderr).toContain('systemctl --user restart outpool')
    expect(await place.run(['down'])).toMatchObject({ code: 1 })
    expect(await processStart(service)).not.toBeNull()
    process.kill(service)
  })

  it('down ends what runs, waits until it is over, and is content if nothing does', async () => {
    const pid = await holder({ version: version() })
    const down = await place.run(['down'])
    expect(down).toMatchObject({ code: 0, stderr: '' })
    expect(down.stdout).toContain(`ending the worker (process ${pid})`)
    expect(down.stdout).toContain('everything has ended but the panes')
    await isGone(pid)
    expect(await place.run(['down'])).toEqual({
      code: 0,
      stdout: `nothing was running for ${place.home}\n`,
      stderr: '',
    })
  })
})

describe('the browser', () => {
  const on = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv, isTerminal = true) =>
    browserOpener({ platform, env, isTerminal })

  it('is opened where a person sees it, and nowhere else', () => {
    expect(on('linux', { DISPLAY: ':0' })).toBe('xdg-open')
    expect(on('linux', { WAYLAND_DISPLAY: 'wayland-0' })).toBe('xdg-open')
    expect(on('darwin', {})).toBe('open')
    expect(on('linux', {})).toBeNull()
    expect(on('linux', { DISPLAY: '' })).toBeNull()
    expect(on('linux', { DISPLAY: ':0' }, false)).toBeNull()
    expect(on('darwin', {}, false)).toBeNull()
  })
})
