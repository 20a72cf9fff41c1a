/** The agent program, run for its output. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runProgram } from '../../agents/claude-code/program.js'
import { processStart } from '../../host/process/processes.js'
import { until } from '../../lab/until.js'

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'outpool-program-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const run = (script: string, timeoutMs?: number) => {
  const file = join(dir, 'claude')
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return runProgram({ command: file, args: [], env: {} }, [], { PATH: '/usr/bin:/bin' }, dir, timeoutMs)
}

it('returns exit code and outputs', async () => {
  expect(await run('echo out; echo err >&2; exit 3')).toEqual({ exitCode: 3, stdout: 'out', stderr: 'err' })
})

it('law 10: ends a program behind a script that only waits for it, which would keep its output open', async () => {
  const running = run('trap "" TERM; sleep 600 & echo $! > pid; wait; wait', 300)
  await expect(running).rejects.toThrow('gave no answer within 0.3 s')
  await until(
    'the end of the program',
    () => processStart(Number(readFileSync(join(dir, 'pid'), 'utf8'))),
    (start) => start === null,
  )
})
