/** `outpool up` that is asked to stop before it is ready: with an engine that never answers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { processStart } from '../../host/process/processes.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'
import { until } from '../../lab/until.js'
import { obtainTemporal } from '../../worker/engine/find.js'
import { useDoctorHost } from './doctorHost.js'

const host = useDoctorHost()
const entry = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url))

it('law 7: ends at Ctrl-C, with the engine that it was starting, and leaves no lock', async () => {
  const { dir, env } = host()
  host().beHealthyAndSmall()
  const { path } = await obtainTemporal({ env: ownEngineOnly(), say: () => undefined })
  const pidFile = join(dir, 'engine.pid')
  const silent = host().program(
    'silent-temporal',
    `#!/bin/sh\n[ "$1" = --version ] && exec ${path} --version\necho $$ > ${pidFile}\nexec sleep 600\n`,
  )
  const child = spawn(process.execPath, [entry, 'up'], {
    ...{ cwd: dir, env: { ...env, OUTPOOL_TEMPORAL: silent }, stdio: ['ignore', 'pipe', 'pipe'] },
  })
  let printed = ''
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()))
  child.stderr.on('data', (data: Buffer) => (printed += data.toString()))
  const exited = once(child, 'exit')
  try {
    await until(
      'the start of the engine',
      () => Promise.resolve(existsSync(pidFile)),
      (isThere) => isThere,
    )
    child.kill('SIGINT')
    const [code] = (await exited) as [number]
    expect(printed).toContain('Ctrl-C: stopped before it was ready')
    expect(code).toBe(0)
    expect(existsSync(host().home.workerLock)).toBe(false)
    const enginePid = Number(readFileSync(pidFile, 'utf8'))
    await until(
      'the end of the engine',
      () => processStart(enginePid),
      (start) => start === null,
    )
  } finally {
    child.kill('SIGKILL')
  }
})
