/**
 * The parts of a host alone: processes that will not end, fences, panes, the lock of a home, stored account
 * readings.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  endProcess,
  hasChildren,
  isAlive,
  processStart,
  type ProcessRef,
} from '../../host/process/processes.js'
import { folderClosedExit, writeLaunchScript } from '../../host/process/launchScript.js'
import { isAlive as isAliveToAgents } from '../../agents/claude-code/liveness.js'
import { QuotaStore } from '../../host/state/quotaStore.js'
import { SessionRecords } from '../../host/state/sessionRecords.js'
import { Tmux } from '../../host/tmux/tmux.js'
import { noAgentFence } from '../../host/tmux/panes.js'
import { managerOf } from '../../host/tmux/server.js'
import { type Home, openHome } from '../../config/state/home.js'
import { AlreadyRunningError } from '../../worker/errors.js'
import { readHolder } from '../../config/state/workerLock.js'
import { lockHome } from '../../worker/lock.js'
import { FakeSystemdPrograms } from '../../lab/machine/systemdPrograms.js'
import { until } from '../../lab/until.js'

const holdScript = fileURLToPath(new URL('../../host/tmux/hold.sh', import.meta.url))

let dir: string
let home: Home
let started: ChildProcess[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-host-'))
  home = openHome({ OUTPOOL_HOME: dir })
  started = []
})
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

/** A process that leads a terminal session, as a pane's process does. */
async function leader(script: string): Promise<ProcessRef> {
  const { pid } = await talking('/bin/sh', '-c', script)
  return { pid, start: (await processStart(pid))! }
}

/** A process that has printed its first output. */
async function talking(...[program, ...args]: [string, ...string[]]): Promise<{ pid: number; said: string }> {
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  started.push(child)
  const said = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve))
  return { pid: child.pid!, said: said.toString() }
}

const isZombie = (pid: number): Promise<boolean> =>
  execa('ps', ['-o', 'stat=', '-p', String(pid)]).then(({ stdout }) => stdout.startsWith('Z'))

describe('ending a process', () => {
  it('sends TERM first, and reports it', async () => {
    const process = await leader('echo up; exec sleep 60')
    expect(await endProcess(process, 60_000)).toBe('term')
    expect(await isAlive(process)).toBe(false)
  })

  it('kills a process that ignores TERM, with what it left behind', async () => {
    const process = await leader(`trap '' TERM; sleep 61 & echo up; while :; do sleep 1; done`)
    expect(await endProcess(process, 300)).toBe('kill')
    expect(await isAlive(process)).toBe(false)
    await expectNoneOfSession(process.pid)
  })

  it('law 3: handles a process that is already gone: what it left behind is ended', async () => {
    const dead = await leader('sleep 64 & echo up; wait')
    process.kill(dead.pid, 'SIGKILL')
    await until(
      'its end',
      () => isAlive(dead),
      (lives) => !lives,
    )
    expect(await endProcess(dead, 60_000)).toBe('gone')
    await expectNoneOfSession(dead.pid)
  })

  it('law 3: also ends orphans in its terminal session, and may be called any number of times', async () => {
    const living = await leader('(sleep 67 &); echo up; exec sleep 68')
    expect([await endProcess(living, 60_000), await endProcess(living, 60_000)]).toEqual(['term', 'gone'])
    await expectNoneOfSession(living.pid)
  })

  it('ends one that is stopped, which could not act on TERM by itself', async () => {
    const stopped = await leader('echo up; exec sleep 62')
    process.kill(stopped.pid, 'SIGSTOP')
    expect(await endProcess(stopped, 60_000)).toBe('term')
  })

  it('law 3: never touches another process that was given the same id', async () => {
    const living = await leader('echo up; exec sleep 63')
    expect(await endProcess({ pid: living.pid, start: 'of an earlier process' }, 60_000)).toBe('gone')
    expect(await isAlive(living)).toBe(true)
  })
})

it('law 6: a process that waits for a child is distinguished from one that does nothing', async () => {
  const waiting = await leader('sleep 65 & echo up; wait')
  expect(await hasChildren(waiting.pid)).toBe(true)
  const idle = await leader('echo up; exec sleep 66')
  expect(await hasChildren(idle.pid)).toBe(false)
})

async function expectNoneOfSession(leaderPid: number): Promise<void> {
  await until(
    `the end of session ${leaderPid}`,
    async () => (await execa('ps', ['-o', 'pid=,stat=', '-s', String(leaderPid)], { reject: false })).stdout,
    (left) => left.split('\n').every((line) => line === '' || line.includes('Z')),
  )
}

describe.runIf(process.platform === 'linux')('a zombie', () => {
  it('counts as ended, even if it is never reaped', async () => {
    const { said } = await talking('python3', '-c', neverReaps)
    const pid = Number(said)
    await until('the zombie', () => isZombie(pid), Boolean)
    expect(await processStart(pid)).toBeNull()
  })

  it('law 3: is a live process as long as one of its threads works', async () => {
    const { pid } = await talking('python3', '-c', endsFirstThread)
    await until('the end of the first thread', () => isZombie(pid), Boolean)
    const start = await processStart(pid)
    expect(start).not.toBeNull()
    expect(isAliveToAgents(pid, start!)).toBe(true)
    expect(await endProcess({ pid, start: start! }, 60_000)).toBe('term')
    expect(await processStart(pid)).toBeNull()
    expect(isAliveToAgents(pid, start!)).toBe(false)
  })
})

const neverReaps = `
import os, time
child = os.fork()
if child == 0: os._exit(0)
print(child, flush=True)
time.sleep(64)
`
const endsFirstThread = `
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(65,)).start()
print('up', flush=True)
ctypes.CDLL(None).pthread_exit(None)
`

describe('fences', () => {
  const launch = (fence: number) => ({
    fence,
    place: { kind: 'account' as const, name: 'max-1' },
    agent: 'claude-code',
    sessionId: 'one',
    cwd: dir,
    process: null,
    transcriptFrom: 0,
    prompt: null,
    forkedAt: null,
  })

  it('law 3: an older fence launches nothing, and neither does one that was stopped; also after a restart', () => {
    const records = new SessionRecords(home)
    records.saveLaunch('alpha', launch(7))
    for (const again of [records, new SessionRecords(home)]) {
      expect(() => again.assertLaunchable('alpha', 6)).toThrow(/fence 6 .*older than 7/)
      expect(() => again.assertLaunchable('alpha', 7)).not.toThrow()
    }
    records.saveStop('alpha', 8)
    for (const again of [records, new SessionRecords(home)]) {
      expect(() => again.assertLaunchable('alpha', 8)).toThrow(/fence 8/)
      expect(() => again.assertLaunchable('alpha', 9)).not.toThrow()
    }
  })

  it('law 3: steps of one session take turns, also after one that failed', async () => {
    const records = new SessionRecords(home)
    const order: string[] = []
    const step = (name: string, fails = false) =>
      records.runExclusive('alpha', async () => {
        order.push(`${name} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        order.push(`${name} ends`)
        if (fails) throw new Error(name)
      })
    await Promise.allSettled([step('one', true), step('two'), step('three')])
    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends', 'three begins', 'three ends'])
  })
})

describe('panes', () => {
  let tmux: Tmux
  beforeEach(() => {
    tmux = new Tmux(home.tmuxSocket, home.dir)
  })
  afterEach(async () => {
    await execa('tmux', ['-S', home.tmuxSocket, 'kill-server'], { reject: false })
  })

  const spawnIn = (session: string, fence: number, argv: string[]) =>
    tmux.spawn({ session, fence, cwd: dir, argv, status: `fence ${fence} # 100 %`, hold: holdArgv(fence) })
  const odd = `a b$x'q#{pid}#["z;`
  const holdArgv = (fence: number): string[] => ['/bin/sh', holdScript, join(dir, odd, `held-${fence}`)]

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
      statuses.push(ended?.exitStatus)
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
    const pane = await spawnIn('alpha', 1, ['/bin/echo', '$HOME; #{pid} `x`'])
    const dead = await until(
      'the end',
      () => tmux.pane('alpha'),
      (now) => now?.dead === true,
    )
    expect(dead).toMatchObject({ id: pane.id, exitStatus: 0, fence: 1 })
    await until(
      'its output',
      () => tmux.screen(pane.id),
      (shown) => shown.includes('$HOME; #{pid} `x`'),
    )
    const again = await spawnIn('alpha', 2, ['/bin/cat'])
    expect(again).toMatchObject({ id: pane.id, dead: false, fence: 2 })
  })

  it('law 7: exist if systemd gives them no separate scope, and it is reported that they have none', async () => {
    const systemd = new FakeSystemdPrograms(dir)
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
      const cwd = join(dir, 'odd folders', name)
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
    for (const folder of [dir, home.dir, tmpdir(), process.env['HOME'] ?? '/root', process.cwd(), '/'])
      expect(existsSync(join(folder, 'pwned')), folder).toBe(false)
  })

  it('law 15: a folder that cannot be entered starts nothing elsewhere', async () => {
    const cwd = join(dir, 'gone')
    const plan = { argv: ['/bin/sh', '-c', `touch ${join(dir, 'ran')}`], cwd, env: {} }
    const argv = ['/bin/sh', writeLaunchScript(home.dir, 1, plan)]
    await tmux.spawn({ session: 'alpha', fence: 1, cwd, argv, status: '' })
    const ended = await until(
      'the end',
      () => tmux.pane('alpha'),
      (now) => now?.dead === true,
    )
    expect(ended?.exitStatus).toBe(folderClosedExit)
    expect(existsSync(join(dir, 'ran'))).toBe(false)
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
    mkdirSync(join(dir, odd))
    const pane = await spawnIn('alpha', 3, ['/bin/sh', '-c', 'read line'])
    await tmux.showStopped('alpha', 'parked')
    await tmux.press(pane.id, ['Enter'])
    await until(
      'the end',
      () => tmux.pane('alpha'),
      (now) => now?.dead === true,
    )
    const person = new Tmux(join(dir, 'person.sock'), dir)
    const argv = ['env', '-u', 'TMUX', 'tmux', '-S', home.tmuxSocket, 'attach', '-t', '=alpha']
    const at = { session: 'terminal', fence: 1, cwd: dir, argv, status: '', hold: ['/bin/cat'] }
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
        () => Promise.resolve(readFileSync(join(dir, odd, 'held-3'), 'utf8')),
        (kept) => kept === 'sent\nhalf a thought',
      )
    } finally {
      await execa('tmux', ['-S', person.socket, 'kill-server'], { reject: false })
    }
  })

  it('knows when a person last pressed a key, also after they detached, and that none was ever attached', async () => {
    await spawnIn('alpha', 1, ['/bin/cat'])
    expect(await tmux.lastKeyAt('alpha')).toBeNull()
    const person = new Tmux(join(dir, 'person.sock'), dir)
    const terminal = await person.spawn({
      session: 'terminal',
      fence: 1,
      cwd: dir,
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

describe('the lock of a home', () => {
  it('admits one holder, names it to others, and is free again afterwards', async () => {
    const lock = await lockHome(home)
    await expect(lockHome(home)).rejects.toThrow(AlreadyRunningError)
    await expect(lockHome(home)).rejects.toThrow(new RegExp(`process ${process.pid}`))
    lock.release()
    ;(await lockHome(home)).release()
  })

  it('law 7: is taken over at once from a worker that was killed', async () => {
    const dead = await leader('echo up; exec sleep 64')
    await endProcess(dead, 1_000)
    for (const left of [JSON.stringify(dead), '{"pid":', '']) {
      writeFileSync(home.workerLock, left)
      const lock = await lockHome(home)
      lock.release()
    }
  })

  it('law 3: is written again if its file is removed or damaged', async () => {
    const lock = await lockHome(home)
    const own = readHolder(home)
    expect(own?.pid).toBe(process.pid)
    for (const damage of [() => rmSync(home.workerLock), () => writeFileSync(home.workerLock, '{"pid":')]) {
      damage()
      await until(
        'the lock',
        () => Promise.resolve(readHolder(home)),
        (holder) => JSON.stringify(holder) === JSON.stringify(own),
      )
    }
    lock.release()
    expect(existsSync(home.workerLock)).toBe(false)
  })

  it('law 3: admits no second worker while one lives whose lock was removed', async () => {
    const living = await leader('echo up; exec sleep 600')
    const watchedBy = (process: ProcessRef): void => {
      const live = { at: new Date().toISOString(), ...process, sessions: {}, accounts: [] }
      writeFileSync(home.liveFile, JSON.stringify(live))
    }
    watchedBy(living)
    await expect(lockHome(home)).rejects.toThrow(new RegExp(`already running .*process ${living.pid}`))
    expect(existsSync(home.workerLock)).toBe(false)
    // Its id was given to another process.
    watchedBy({ ...living, start: 'earlier' })
    ;(await lockHome(home)).release()
    watchedBy(living)
    const waiting = lockHome(home)
    await endProcess(living, 1_000)
    ;(await waiting).release()
  })
})

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
