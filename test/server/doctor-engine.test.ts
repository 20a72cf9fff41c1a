/** What `outpool doctor` finds of engine, worker and clock. */
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { checkClock } from '../../worker/doctor/clock.js'
import { checkPorts } from '../../worker/doctor/engine.js'
import type { EngineChoice } from '../../worker/engine/index.js'
import { checkWorker } from '../../worker/doctor/running.js'
import { devServer } from '../../lab/engine/engine.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'
import { failures, named, useDoctorHost } from './doctorHost.js'

const host = useDoctorHost()

describe('engine, worker and clock', () => {
  let taken: Server | undefined
  afterEach(() => {
    taken?.close()
    taken = undefined
  })

  it('reports a running embedded engine with its version, retention and clock', async () => {
    host().beHealthyAndSmall()
    const server = await devServer({ dir: join(host().dir, 'state') })
    try {
      const { code, findings } = await host().examine()
      expect(code).toBe(0)
      expect(named(findings, 'engine')[0]!.found).toMatch(
        new RegExp(`^embedded, running at ${server.address}: server 1\\.\\d+.*, keeps 30 days$`),
      )
      expect(named(findings, 'ports')[0]!.found).toContain(server.address)
      expect(named(findings, 'database')[0]!.state).toBe('ok')
      expect(named(findings, 'clock')[0]!.found).toContain("the same as the engine's")
    } finally {
      await server.stop()
    }
  })

  it('fails for a named engine that does not answer, and checks no ports then', async () => {
    host().beHealthyAndSmall()
    Object.assign(host().env, ownEngineOnly({}), { TEMPORAL_ADDRESS: '127.0.0.1:9' })
    const { code, findings } = await host().examine()
    expect(code).toBe(1)
    expect(failures(findings)).toEqual(['engine'])
    expect(named(findings, 'engine')[0]!.remedy).toMatch(/TEMPORAL_ADDRESS/)
    expect(named(findings, 'ports')).toEqual([])
  })

  it('names the port that would be used if the usual one is taken', async () => {
    const embedded: EngineChoice = { kind: 'embedded', program: null, attempts: [] }
    // Another program's engine may hold the port now and release it in the next moment; then it is used here.
    const hold = () =>
      new Promise<void>((resolve) => {
        // A program that looks for an engine there must not be able to hold it open.
        const server = createServer((socket) => socket.destroy()).once('error', () => resolve())
        server.listen(7233, '127.0.0.1', () => {
          taken = server
          resolve()
        })
      })
    await expect
      .poll(
        async () => {
          if (taken === undefined) await hold()
          return (await checkPorts(embedded, host().home))[0]!.found
        },
        { timeout: 180_000 },
      )
      .toMatch(/7233 is taken, 72\d\d would be used instead/)
  })

  it('fails for an unsuitable temporal, and still checks the rest', async () => {
    host().beHealthyAndSmall()
    host().env['OUTPOOL_TEMPORAL'] = host().program(
      'temporal',
      '#!/bin/sh\necho "temporal version 1.0.0 (Server 1.20.0)"\n',
    )
    const { code, findings } = await host().examine()
    expect(code).toBe(1)
    expect(failures(findings)).toEqual(['engine'])
    expect(named(findings, 'engine')[0]!.found).toMatch(/too old/)
  })

  it('warns of sessions that no worker watches', async () => {
    mkdirSync(join(host().dir, 'state', 'sessions', 'one'), { recursive: true })
    expect(await checkWorker(host().home, Date.now())).toMatchObject([
      { name: 'worker', state: 'warn', found: 'not running, while one session is on record' },
    ])
  })

  it('fails for a worker that runs but has stopped checking', async () => {
    const state = join(host().dir, 'state')
    mkdirSync(state, { recursive: true })
    const stat = readFileSync(`/proc/${process.pid}/stat`, 'utf8')
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    writeFileSync(join(state, 'worker.lock'), JSON.stringify({ pid: process.pid, start }))
    const at = new Date(Date.now() - 600_000).toISOString()
    writeFileSync(
      join(state, 'live.json'),
      JSON.stringify({ at, pid: process.pid, sessions: {}, accounts: [] }),
    )
    const [polling] = await checkWorker(host().home, Date.now())
    expect(polling).toMatchObject({ name: 'worker', state: 'fail' })
    expect(polling!.found).toMatch(/last polled [6-9]\d\d s ago/)
  })

  it('warns of a clock that is behind the last recorded times', async () => {
    mkdirSync(join(host().dir, 'state', 'quota'), { recursive: true })
    const file = join(host().dir, 'state', 'quota', 'max-1.json')
    writeFileSync(file, '{}')
    const tomorrow = new Date(Date.now() + 86_400_000)
    utimesSync(file, tomorrow, tomorrow)
    const clock = await checkClock(host().home, Date.now, host().env)
    expect(clock).toMatchObject({ name: 'clock', state: 'warn' })
    expect(clock.found).toContain(file)
  })
})
