/**
 * Law 4 and 10: the clock of a host jumps forward by an hour while a session is parked, and the engine's does not, as if it ran on another
 * machine. The session comes back when its wall ends by the engine's clock: not an hour early, not an hour late, and in one process. The
 * clock of everything on the host is really another one (libfaketime), but for the engine, on which it has no effect.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStubFleet, type StubFleet } from '../../bench/stubFleet.js'
import { hasDebianProgram } from '../../lab/machine/debianProgram.js'
import { until } from '../../lab/until.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { sessionQueries } from '../../workflows/messages.js'

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const library = `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`
const isPossible = process.platform === 'linux' && (await hasDebianProgram(library, 'libfaketime'))

/** Far enough away that the session is parked and the clock has jumped before it. */
const wallEndsIn = 60_000
/** Between two looks at the account, and what a busy machine needs to start an agent. */
const backWithin = 120_000

describe.runIf(isPossible)('a host whose clock jumps (Linux, with libfaketime)', () => {
  let dir: string
  let stub: StubFleet
  const setClock = (offset: string): void => writeFileSync(join(dir, 'offset'), `${offset}\n`)

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'outpool-clock-'))
    setClock('+0')
    const env = {
      ...{ LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: join(dir, 'offset'), FAKETIME_NO_CACHE: '1' },
      // A clock that is set does not change the one by which processes measure durations.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    // Outpool's tmux server gets a bare environment.
    const tmux = execFileSync('/bin/sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim()
    const set = Object.entries(env).map(([name, value]) => `${name}='${value}'`)
    const script = `#!/bin/sh\nexec env ${set.join(' ')} '${tmux}' "$@"\n`
    writeFileSync(join(dir, 'tmux'), script, { mode: 0o755 })
    const path = [dir, process.env['PATH'] ?? ''].join(delimiter)
    stub = await openStubFleet({
      ...{ accounts: ['max-1', 'max-2'], maxSessions: 10, env: { ...env, PATH: path } },
    })
  })
  afterAll(async () => {
    setClock('+0')
    await stub.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const describeSession = (name: string) =>
    stub.client.workflow.getHandle(sessionWorkflowId(name)).query(sessionQueries.describe)
  const processOf = async (name: string): Promise<number[]> => {
    const { sessionId } = await describeSession(name)
    const agents = stub.agents(['max-1', 'max-2'])
    return agents.flatMap((agent) => (agent.sessionId === sessionId ? [agent.pid] : []))
  }
  const untilPhase = (name: string, ...phases: string[]) =>
    until(
      `${name} to be ${phases.join(' or ')}`,
      () => describeSession(name),
      ({ phase }) => phases.includes(phase),
    )
  const start = async (name: string, account: string): Promise<void> => {
    const where = ['--cwd', stub.fleet.world.cwd, '--account', account, '--pin']
    expect(await stub.fleet.run('start', name, ...where, '--', 'Hello.')).toMatchObject({ code: 0 })
    await stub.fleet.untilSession(name, ({ phase }) => phase === 'idle')
  }

  const deliver = async (name: string, text: string): Promise<void> => {
    expect((await stub.fleet.run('send', name, text)).code).toBe(0)
    const session = stub.client.workflow.getHandle(sessionWorkflowId(name))
    await until(
      `the text for ${name}`,
      () => session.query(sessionQueries.backlog),
      ({ texts }) => texts === 0,
    )
  }

  it('law 4 and 10: forward and to the right time again: a parked session comes back when its wall ends, and another works on', async () => {
    const [name, other] = ['walled', 'quiet']
    await start(name, 'max-1')
    await start(other, 'max-2')
    const quiet = await processOf(other)
    const endsAt = Date.now() + wallEndsIn
    stub.wall('max-1', wallEndsIn)
    expect((await stub.fleet.run('send', name, 'Go on.')).code).toBe(0)
    await untilPhase(name, 'parked')
    expect(Date.now()).toBeLessThan(endsAt)
    setClock('+3600')
    await until(
      'the end of the wall',
      () => Promise.resolve(Date.now()),
      (now) => now >= endsAt,
    )
    stub.unwall('max-1')
    const { rescueLog } = await untilPhase(name, 'working', 'idle')
    expect(Date.now() - endsAt).toBeLessThan(backWithin)
    // It was not tried before, when it would have met the wall again.
    expect(rescueLog.map(({ cause }) => cause)).toEqual(['wall', 'wake'])
    expect(Date.parse(rescueLog[1]?.startedAt ?? '')).toBeGreaterThanOrEqual(endsAt)
    expect(await processOf(name)).toHaveLength(1)
    // The clock alone was a reason for nothing.
    expect(await processOf(other)).toEqual(quiet)
    await deliver(other, 'Still there?')
    setClock('+0')
    for (const one of [name, other]) await deliver(one, 'And now?')
    expect(await processOf(other)).toEqual(quiet)
    const alarms = ['session-crashed', 'session-hung', 'session-restored', 'worker-down']
    expect(stub.fleet.events().filter(({ kind }) => alarms.includes(kind))).toEqual([])
    for (const one of [name, other]) expect((await stub.fleet.run('stop', one)).code).toBe(0)
  })
})
