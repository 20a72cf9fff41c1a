/** What ends a test whose workflow computes for ever. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

const guard = new URL('harness/blockedThread.ts', import.meta.url).href
const run = (then: string) =>
  spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', then], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGTERM',
  })

it('ends a process whose thread is blocked, and says why', () => {
  const { signal, stderr } = run(
    `const { endIfBlocked } = await import('${guard}'); endIfBlocked(500); for (;;);`,
  )
  expect(signal).toBe('SIGKILL')
  expect(stderr).toContain('blocked for 0.5 s, as by a workflow that computes for ever')
})

it('leaves one alone that has only long steps, and does not keep it', () => {
  const steps = `for (let n = 0; n < 10; n++) {
    for (const end = Date.now() + 200; Date.now() < end; );
    await new Promise((resolve) => setImmediate(resolve))
  }`
  const { status, signal } = run(
    `const { endIfBlocked } = await import('${guard}'); endIfBlocked(1500); ${steps}`,
  )
  expect({ status, signal }).toEqual({ status: 0, signal: null })
})
