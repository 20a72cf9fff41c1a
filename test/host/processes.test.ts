/** Processes are told apart, and ended with what they left behind. */
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { endProcess, hasChildren, isAlive, processStart } from '../../host/process/processes.js'
import { isAlive as isAliveToAgents } from '../../agents/claude-code/liveness.js'
import { until } from '../../lab/until.js'
import { startedProcesses } from './startedProcesses.js'

const { talking, leader } = startedProcesses()

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

describe.runIf(process.platform === 'linux')('a zombie (Linux: its state is read from /proc)', () => {
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
