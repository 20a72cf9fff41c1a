/** Panes on Outpool's own tmux server: what runs in them, what is typed into them, and how they end. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { folderClosedExit, writeLaunchScript } from '../../host/process/launchScript.js'
import { Tmux } from '../../host/tmux/tmux.js'
import { noAgentFence } from '../../host/tmux/panes.js'
import { managerOf } from '../../host/tmux/server.js'
import type { Home } from '../../config/state/home.js'
import { eachWithHome } from '../host/eachWithHome.js'
import { FakeSystemdPrograms } from '../../lab/machine/systemdPrograms.js'
import { until } from '../../lab/until.js'

const holdScript = fileURLToPath(new URL('../../host/tmux/hold.sh', import.meta.url))

let home: Home
eachWithHome((made) => (home = made))

describe('panes', () => {
  let tmux: Tmux
  beforeEach(() => {
    tmux = new Tmux(home.tmuxSocket, home.dir)
  })
  afterEach(async () => {
    await execa('tmux', ['-S', home.tmuxSocket, 'kill-server'], { reject: false })
  })

  const spawnIn = (session: string, fence: number, argv: string[]) =>
    tmux.spawn({
      session,
      fence,
      cwd: home.dir,
      argv,
      status: `fence ${fence} # 100 %`,
      hold: holdArgv(fence),
    })
  const odd = `a b$x'q#{pid}#["z;`
  const holdArgv = (fence: number): string[] => ['/bin/sh', holdScript, join(home.dir, odd, `held-${fence}`)]

  it('without a server there are no panes, and no error', async () => {
    expect(await tmux.panes()).toBeNull()
    expect(await tmux.pane('alpha')).toBeNull()
    expect(await tmux.showStatus('alpha', 'x')).toBe(false)
  })

  it('knows how each process ended, even if tmux has missed its end', async () => {
    const argv = [process.execPath, '-e', 'console.log(1); process.exit(7)']
    const statuses: unknown[] = []
    // tmux misses about every tenth.
    for (let fence = 1; fence <= 30; fence++) {
      await spawnIn('alpha', fence, argv)
      const ended = await until(
        'the end',
        () => tmux.pane('alpha'),
        (now) => now?.dead === true,
      )
      statuses.push(ended?.exitCode)
    }
    expect(statuses.filter((status) => status !== 7)).toEqual([])
  })

  it('law 7: the connection that a killed worker left is ended by the next one', async () => {
    await spawnIn('alpha', 1, ['/bin/cat'])
    const left = ['-S', home.tmuxSocket, '-C', 'new-session', '-A', '-s', 'Outpool', 'cat']
    const older = execa('tmux', left, { reject: false, stdin: 'pipe' })
    // Another connection could not see one that is not attached yet.
    await until(
      'the older one to be attached, or to have been ended already',
      () => execa('tmux', ['-S', home.tmuxSocket, 'list-clients', '-F', '#{client_pid}']),
      ({ stdout }) =>
        stdout.split('\n').includes(String(older.pid)) || (older.exitCode ?? older.signalCode) !== null,
    )
    const next = new Tmux(home.tmuxSocket, home.dir)
    await until(
      'the end of the older one',
      () => next.pane('alpha').then(() => older.exitCode ?? older.signalCode),
      (ended) => ended !== null,
    )
    await older
    expect(await next.pane('alpha')).toMatchObject({ fence: 1 })
    next.close()
  })

  it('runs a program directly, with no shell between, and keeps the pane when it ends', async () => {
    const printThenWait = 'console.log(process.argv[1]); process.stdin.once("data", () => process.exit())'
    const pane = await spawnIn('alpha', 1, [process.execPath, '-e', printThenWait, '$HOME; #{pid} `x`'])
    await until(
      'its output',
      () => tmux.screen(pane.id),
      (shown) => shown.includes('$HOME; #{pid} `x`'),
    )
    await tmux.press(pane.id, ['Enter'])
    const dead = await until(
      'the end',
      () => tmux.pane('alpha'),
      (now) => now?.dead === true,
    )
    expect(dead).toMatchObject({ id: pane.id, exitCode: 0, fence: 1 })
    expect(await tmux.screen(pane.id)).toContain('$HOME; #{pid} `x`')
    const again = await spawnIn('alpha', 2, ['/bin/cat'])
    expect(again).toMatchObject({ id: pane.id, dead: false, fence: 2 })
  })

  it('law 7: exist if systemd gives them no separate scope, and it is reported that they have none', async () => {
    const systemd = new FakeSystemdPrograms(home.dir)
    systemd.refuse()
    vi.stubEnv('PATH', `${systemd.folder}:${process.env['PATH'] ?? ''}`)
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      tmux = new Tmux(home.tmuxSocket, home.dir, 'user')
      expect(await spawnIn('alpha', 1, ['/bin/cat'])).toMatchObject({ session: 'alpha', dead: false })
      expect(systemd.recordedCalls('systemd-run')).toHaveLength(1)
      expect(said.mock.calls.flat().join(' ')).toMatch(
        /no scope could be created for them: Failed to connect to bus/,
      )
    } finally {
      said.mockRestore()
      vi.unstubAllEnvs()
    }
  })

  it('law 7: get a scope if systemd has started the worker, and not if it has started its terminal', () => {
    const started = (pid: number, more = {}) => managerOf({ SYSTEMD_EXEC_PID: String(pid), ...more })
    expect(managerOf({})).toBeNull()
    expect(started(1)).toBe(process.ppid === 1 ? 'system' : null)
    expect(started(process.pid)).toBe('system')
    expect(started(process.ppid, { MANAGERPID: '1234' })).toBe('user')
  })

  it('law 15: a program runs in its folder, and nothing in the name of a folder is carried out', async () => {
    const inFolder = `touch here; pwd`
    for (const [index, name] of [
      'C#Projects',
      'a#[b',
      'x#(touch pwned)y',
      '#{pid}',
      'ends;',
      `q'"$HOME`,
    ].entries()) {
      const cwd = join(home.dir, 'odd folders', name)
      mkdirSync(cwd, { recursive: true })
      const plan = { argv: ['/bin/sh', '-c', inFolder], cwd, env: { PWD: '/' } }
      // The first of each two opens a pane, the second uses it again; the later ones go through the connection.
      for (const fence of [index * 2 + 1, index * 2 + 2]) {
        const argv = ['/bin/sh', writeLaunchScript(home.dir, fence, plan)]
        const session = `folder-${index}`
        await tmux.spawn({ session, fence, cwd, argv, status: `${name};`, hold: holdArgv(fence) })
        await until(
          `the end of a program in ${name}`,
          () => tmux.pane(session),
          (now) => now?.dead === true,
        )
        expect(readdirSync(cwd), name).toEqual(['here'])
        rmSync(join(cwd, 'here'))
      }
    }
    for (const folder of [home.dir, tmpdir(), process.env['HOME'] ?? '/root', process.cwd(), '/'])
      expect(existsSync(join(folder, 'pwned')), folder).toBe(false)
  })

  it('law 15: a folder that cannot be entered starts nothing elsewhere', async () => {
    const cwd = join(home.dir, 'gone')
    const plan = { argv: ['/bin/sh', '-c', `touch ${join(home.dir, 'ran')}`], cwd, env: {} }
    const argv = ['/bin/sh', writeLaunchScript(home.dir, 1, plan)]
    await tmux.spawn({ session: 'alpha', fence: 1, cwd, argv, status: '' })
    const ended = await until(
      'the end',
      () => tmux.pane('alpha'),
      (now) => now?.dead === true,
    )
    expect(ended?.exitCode).toBe(folderClosedExit)
    expect(existsSync(join(home.dir, 'ran'))).toBe(false)
  })

  it('finds a pane by its session, not by an id that a new server gives away again', async () => {
    await spawnIn('alpha', 1, ['/bin/cat'])
    await spawnIn('bravo', 2, ['/bin/cat'])
    expect(await tmux.pane('bravo')).toMatchObject({ session: 'bravo', fence: 2 })
    await tmux.closePane('alpha')
    expect(await tmux.pane('alpha')).toBeNull()
    expect(await tmux.pane('bravo')).not.toBeNull()
  })

  it('law 11: a pasted text is in no argument list, and arrives unchanged', async () => {
    const pane = await spawnIn('alpha', 1, ['/bin/cat'])
    const text = '-t; $(id) "two\nlines" #{pane_id}'
    await tmux.paste(pane.id, text)
    await until(
      'the text',
      () => tmux.screen(pane.id),
      (shown) => shown.includes('lines" #{pane_id}'),
    )
    expect(await tmux.screen(pane.id)).toContain('-t; $(id) "two')
  })

  it('law 5: keeps what a person types while no agent is there, as they left it', async () => {
    mkdirSync(join(home.dir, odd))
    const pane = await spawnIn('alpha', 3, ['/bin/sh', '-c', 'read line'])
    await tmux.showStopped('alpha', 'parked')
    await tmux.press(pane.id, ['Enter'])
    await until(
      'the end',
      () => tmux.pane('alpha'),
      (now) => now?.dead === true,
    )
    const person = new Tmux(join(home.dir, 'person.sock'), home.dir)
    const argv = ['env', '-u', 'TMUX', 'tmux', '-S', home.tmuxSocket, 'attach', '-t', '=alpha']
    const at = { session: 'terminal', fence: 1, cwd: home.dir, argv, status: '', hold: ['/bin/cat'] }
    const terminal = await person.spawn(at)
    try {
      const held = await until(
        'what keeps their words',
        () => tmux.pane('alpha'),
        (now) => now?.fence === noAgentFence && !now.dead,
      )
      await until(
        'its greeting',
        () => tmux.screen(pane.id),
        (shown) => shown.includes('What you type reaches the next one'),
      )
      await person.paste(terminal.id, 'sent\nhalf a thoughd')
      await person.press(terminal.id, ['BSpace', 't'])
      await until(
        'the words',
        () => tmux.screen(pane.id),
        (shown) => shown.includes('half a thought'),
      )
      process.kill(held!.pid, 'SIGTERM')
      await until(
        'all of it',
        () => Promise.resolve(readFileSync(join(home.dir, odd, 'held-3'), 'utf8')),
        (kept) => kept === 'sent\nhalf a thought',
      )
    } finally {
      await execa('tmux', ['-S', person.socket, 'kill-server'], { reject: false })
    }
  })

  it('knows when a person last pressed a key, also after they detached, and that none was ever attached', async () => {
    await spawnIn('alpha', 1, ['/bin/cat'])
    expect(await tmux.lastKeyAt('alpha')).toBeNull()
    const person = new Tmux(join(home.dir, 'person.sock'), home.dir)
    const terminal = await person.spawn({
      session: 'terminal',
      fence: 1,
      cwd: home.dir,
      argv: ['tmux', '-S', home.tmuxSocket, 'attach', '-t', '=alpha'],
      status: '',
      hold: ['/bin/cat'],
    })
    try {
      await until(
        'the client',
        () => tmux.lastKeyAt('alpha'),
        (at) => at !== null,
      )
      const before = Date.now()
      await until(
        'a key',
        async () => {
          await person.press(terminal.id, ['x'])
          return tmux.lastKeyAt('alpha')
        },
        (at) => at !== null && at >= before - 1_000,
      )
      const lastKey = await tmux.lastKeyAt('alpha')
      await execa('tmux', ['-S', home.tmuxSocket, 'detach-client', '-s', '=alpha'])
      await until(
        'the detached person',
        () => tmux.pane('alpha'),
        (pane) => pane?.visited === 'before',
      )
      expect(await tmux.lastKeyAt('alpha')).toBeGreaterThanOrEqual(lastKey!)
    } finally {
      await execa('tmux', ['-S', person.socket, 'kill-server'], { reject: false })
    }
  })
})
