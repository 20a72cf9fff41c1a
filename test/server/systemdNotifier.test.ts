/** Signs of life to systemd, over a real datagram socket, by systemd's own program. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SystemdNotifier } from '../../worker/systemdNotifier.js'
import { lacksSystemdNotify, type NotifySocket, openNotifySocket } from '../../lab/machine/notifySocket.js'
import { until } from '../../lab/until.js'

let dir: string
let socket: NotifySocket
let heard: string[]

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-notify-'))
  heard = []
  socket = await openNotifySocket(join(dir, 'notify'), (message) => heard.push(message))
})
afterEach(() => {
  socket.close()
  rmSync(dir, { recursive: true, force: true })
})

const count = (what: string): number => heard.filter((line) => line.startsWith(what)).length
const untilHeard = (what: string, times: number) =>
  until(
    `${what} ${times} times`,
    () => Promise.resolve(count(what)),
    (n) => n >= times,
  )

describe('if no service manager listens', () => {
  it('nothing is sent, and a variable meant for another process is ignored', () => {
    expect(SystemdNotifier.fromEnv({}, () => undefined)).toBeNull()
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' }
    expect(SystemdNotifier.fromEnv(env, () => undefined)?.notifyEvery).toBeNull()
  })
})

describe.skipIf(lacksSystemdNotify)('signs of life', () => {
  it('come three times within the limit while there is progress, and stop when there is none', async () => {
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '300000', WATCHDOG_PID: String(process.pid) }
    const said: string[] = []
    const notifier = SystemdNotifier.fromEnv(env, (line) => said.push(line))!
    expect(env).toEqual({})
    expect(notifier.notifyEvery).toBe(100)
    await notifier.ready()
    await untilHeard('READY=1', 1)
    const ended = new AbortController()
    let isProgressing = true
    let checks = 0
    const beating = notifier.notifyWhile(() => {
      checks += 1
      return Promise.resolve(isProgressing)
    }, ended.signal)
    await untilHeard('WATCHDOG=1', 3)
    isProgressing = false
    const before = checks
    await until(
      'more looks',
      () => Promise.resolve(checks),
      (n) => n >= before + 3,
    )
    const then = count('WATCHDOG=1')
    await until(
      'more looks',
      () => Promise.resolve(checks),
      (n) => n >= before + 6,
    )
    expect(count('WATCHDOG=1')).toBe(then)
    expect(said).toContain('no progress: the watchdog notification to systemd is withheld')
    ended.abort()
    await beating
    await notifier.stopping()
    await untilHeard('STOPPING=1', 1)
  })
})
