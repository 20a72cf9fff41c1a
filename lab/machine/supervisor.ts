/** A small service manager that follows a unit: start, notify protocol, watchdog, restart, stop. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { statFields } from '../../config/state/procStat.js'
import { type NotifySocket, openNotifySocket } from './notifySocket.js'
import { groupOf, joins } from './systemdPrograms.js'
import { expandSpecifiers, parseTimeSpan, parseServiceUnit, type Unit, splitWords } from './unitFile.js'
import { until } from '../until.js'

export interface ExitRecord {
  pid: number
  signal: NodeJS.Signals | null
  /** It was ended because its signs of life had stopped. */
  byWatchdog: boolean
}

/** Joins the unit's group, reports which process was started, and becomes the program. */
const joinAndRun = `${joins('unit')}; export SYSTEMD_EXEC_PID=$$ WATCHDOG_PID=$$; exec "$@"`

export class Supervisor {
  readonly ended: ExitRecord[] = []
  readonly #unit: Unit
  readonly #socket: NotifySocket
  readonly #env: Record<string, string>
  #main: ChildProcess | null = null
  #isReady = false
  #beatAt = 0
  #isStopping = false
  #watching: NodeJS.Timeout | null = null
  #timedOut = false

  private constructor(unit: Unit, socket: NotifySocket, env: Record<string, string>) {
    this.#unit = unit
    this.#socket = socket
    this.#env = env
  }

  /** `env`: the manager's own environment. `dir`: a folder for its socket. */
  static async open(unit: string[], dir: string, env: Record<string, string>): Promise<Supervisor> {
    const heard: { by: Supervisor | null } = { by: null }
    const socket = await openNotifySocket(join(dir, 'notify'), (message) => heard.by?.handleMessage(message))
    const supervisor = new Supervisor(parseServiceUnit(...unit), socket, env)
    heard.by = supervisor
    return supervisor
  }

  handleMessage(message: string): void {
    this.#beatAt = performance.now()
    if (message.startsWith('READY=1')) this.#isReady = true
  }

  /** The main process, once it is ready. */
  async untilReady(): Promise<number> {
    const isReady = (): number | null => (this.#isReady ? (this.#main?.pid ?? null) : null)
    return (await until(
      'the service to be ready',
      () => Promise.resolve(isReady()),
      (pid) => pid !== null,
    ))!
  }

  start(): void {
    const [program = '', ...args] = splitWords(this.#unit.one('ExecStart'))
    this.#isReady = false
    this.#timedOut = false
    const child = spawn('/bin/sh', ['-c', joinAndRun, 'sh', program, ...args], {
      ...{ cwd: expandSpecifiers(this.#unit.one('WorkingDirectory')), env: this.#environment() },
      ...{ stdio: 'ignore', detached: true },
    })
    this.#main = child
    child.once('exit', (_code, signal) => void this.#afterEnd(child.pid ?? 0, signal))
    this.#watching = setInterval(() => this.#watch(child), 100)
  }

  /** As `systemctl stop`: the main process alone, or all of the unit's group. */
  async stop(killMode = this.#unit.one('KillMode')): Promise<void> {
    const signalAll = (name: NodeJS.Signals): void => {
      for (const pid of killMode === 'control-group' ? this.group() : [this.#main?.pid ?? 0])
        signal(pid, name)
    }
    this.#isStopping = true
    clearInterval(this.#watching ?? undefined)
    const main = this.#main
    if (main !== null) {
      const gone = new Promise((resolve) => main.once('exit', resolve))
      signalAll('SIGTERM')
      await Promise.race([
        gone,
        delay(parseTimeSpan(this.#unit.one('TimeoutStopSec')), undefined, { ref: false }),
      ])
      if (main.exitCode === null && main.signalCode === null) signalAll('SIGKILL')
      await gone
    }
    if (killMode !== 'control-group') return
    signalAll('SIGKILL')
    await until(
      'the end of the group',
      () => Promise.resolve(this.group()),
      (left) => left.length === 0,
    )
  }

  close(): void {
    this.#isStopping = true
    this.#main?.kill('SIGKILL')
    this.#socket.close()
  }

  /** The processes in the unit's own group. */
  group(): number[] {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && groupOf(pid) === 'unit' && statFields(pid)?.[0] !== 'Z')
  }

  #watch(child: ChildProcess): void {
    if (!this.#isReady || performance.now() - this.#beatAt < parseTimeSpan(this.#unit.one('WatchdogSec')))
      return
    this.#timedOut = true
    child.kill(this.#unit.one('WatchdogSignal') as NodeJS.Signals)
  }

  async #afterEnd(pid: number, signal: NodeJS.Signals | null): Promise<void> {
    clearInterval(this.#watching ?? undefined)
    this.ended.push({ pid, signal, byWatchdog: this.#timedOut })
    this.#main = null
    this.#isReady = false
    if (this.#unit.one('Restart') !== 'always') return
    await delay(parseTimeSpan(this.#unit.one('RestartSec')), undefined, { ref: false })
    if (!this.#isStopping) this.start()
  }

  #environment(): Record<string, string> {
    const lines = this.#unit.all('EnvironmentFile').flatMap((value) => {
      const file = expandSpecifiers(value.replace(/^-/, ''))
      return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
    })
    const set = [...this.#unit.all('Environment').flatMap(splitWords), ...lines].flatMap((one) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(one) ?? []
      return name === undefined || value === undefined ? [] : [[name, value] as const]
    })
    const watchdogUsec = String(parseTimeSpan(this.#unit.one('WatchdogSec')) * 1_000)
    return {
      ...this.#env,
      ...Object.fromEntries(set),
      ...{ NOTIFY_SOCKET: this.#socket.path, WATCHDOG_USEC: watchdogUsec, MANAGERPID: String(process.pid) },
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended in between.
  }
}
