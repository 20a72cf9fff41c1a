/** Signs of life to systemd, over a real datagram socket, by systemd's own program; and what a supervisor does without them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { execa } from 'execa'
import { ServiceManager } from '../../worker/serviceManager.js'
import { until } from '../support/until.js'

const notify = await execa('systemd-notify', ['--version'], { reject: false })

/** Perl is on every Debian, and has the sockets that Node lacks. One line for each datagram. */
const listener = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
while (defined recv($s, my $m, 4096, 0)) { $m =~ s/\\n/ /g; print "$m\\n" }
`

let dir: string
let socket: string
let heard: string[]
let children: ChildProcess[]

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-notify-'))
  socket = join(dir, 'notify')
  heard = []
  const perl = spawn('perl', ['-e', listener, socket], { stdio: ['ignore', 'pipe', 'ignore'] })
  children = [perl]
  perl.stdout.on('data', (chunk: Buffer) => heard.push(...chunk.toString().trim().split('\n')))
  await until(
    'the socket',
    () => Promise.resolve(existsSync(socket)),
    (there) => there,
  )
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

const count = (what: string): number => heard.filter((line) => line.startsWith(what)).length
const untilHeard = (what: string, times: number) =>
  until(
    `${what} ${times} times`,
    () => Promise.resolve(count(what)),
    (n) => n >= times,
  )

describe('where no service manager listens', () => {
  it('nothing is said, and a beat for somebody else is not taken for ours', () => {
    expect(ServiceManager.take({}, () => undefined)).toBeNull()
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' }
    expect(ServiceManager.take(env, () => undefined)?.beatEvery).toBeNull()
  })
})

describe.skipIf(notify.failed)('signs of life', () => {
  it('come three times within the limit while there is progress, and stop when there is none', async () => {
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000', WATCHDOG_PID: String(process.pid) }
    const said: string[] = []
    const manager = ServiceManager.take(env, (line) => said.push(line))!
    expect(env).toEqual({})
    expect(manager.beatEvery).toBe(100)
    await manager.ready()
    await untilHeard('READY=1', 1)
    const over = new AbortController()
    let isProgressing = true
    let looks = 0
    const beating = manager.beatWhile(() => {
      looks += 1
      return Promise.resolve(isProgressing)
    }, over.signal)
    await untilHeard('WATCHDOG=1', 3)
    isProgressing = false
    const before = looks
    await until(
      'more looks',
      () => Promise.resolve(looks),
      (n) => n >= before + 3,
    )
    const then = count('WATCHDOG=1')
    await until(
      'more looks',
      () => Promise.resolve(looks),
      (n) => n >= before + 6,
    )
    expect(count('WATCHDOG=1')).toBe(then)
    expect(said).toContain('no progress: systemd is given no sign of life')
    over.abort()
    await beating
    await manager.stopping()
    await untilHeard('STOPPING=1', 1)
  })

  it('law 7: a process that hangs is silent, and a supervisor that does as the unit says starts it anew', async () => {
    const program = fileURLToPath(new URL('../support/beatingProgram.ts', import.meta.url))
    const start = (): ChildProcess => {
      const env = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '900000' }
      const child = spawn(process.execPath, ['--import', 'tsx', program], { env, stdio: 'ignore' })
      children.push(child)
      return child
    }
    let running = start()
    await untilHeard('WATCHDOG=1', 2)
    running.kill('SIGSTOP')
    // WatchdogSec, WatchdogSignal=SIGKILL, Restart=always.
    let last = -1
    const isSilent = (): boolean => {
      const before = last
      last = count('WATCHDOG=1')
      return before === last
    }
    await until('silence', () => Promise.resolve(isSilent()), Boolean)
    running.kill('SIGKILL')
    const before = count('WATCHDOG=1')
    running = start()
    await untilHeard('READY=1', 2)
    await untilHeard('WATCHDOG=1', before + 2)
  })
})
