/** One worker at a time has a home. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { endProcess, type ProcessRef } from '../../host/process/processes.js'
import type { Home } from '../../config/state/home.js'
import { eachWithHome } from '../host/eachWithHome.js'
import { AlreadyRunningError } from '../../worker/errors.js'
import { readHolder } from '../../config/state/workerLock.js'
import { lockHome } from '../../worker/lock.js'
import { until } from '../../lab/until.js'
import { startedProcesses } from '../host/startedProcesses.js'

const { leader } = startedProcesses()

let home: Home
eachWithHome((made) => (home = made))

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
