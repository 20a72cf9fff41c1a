/** Law 7: a process that was killed counts as dead at once, also before its parent has noticed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { isAlive } from '../../config/state/isAlive.js'
import { statFields } from '../../config/state/procStat.js'
import { hasEnded } from '../../policy/procStat.js'
import { until } from '../../lab/until.js'

it('knows itself, and no process with an id that is not in use', () => {
  expect(isAlive(process.pid)).toBe(true)
  expect(isAlive(2 ** 22 + 1)).toBe(false)
})

it('law 7: a process with the id of an ended one is another, if the system says when it started', () => {
  const start = statFields(process.pid)?.[19] ?? null
  expect(isAlive(process.pid, start)).toBe(true)
  expect(isAlive(process.pid, '1')).toBe(start === null)
})

it.skipIf(!existsSync('/proc/self/stat'))('law 7: a zombie is not alive (Linux)', async () => {
  // The shell becomes a program that never collects its child. The child ends after that, since the shell may collect it.
  const parent = spawn('sh', ['-c', 'exec 3<&0; sh -c "read line" <&3 & echo $!; exec sleep 1000'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const child = Number(line.toString())
    await until(
      'the shell to become a program',
      () => Promise.resolve(readFileSync(`/proc/${parent.pid}/comm`, 'utf8')),
      (name) => name === 'sleep\n',
    )
    parent.stdin.end()
    await until(
      'the zombie',
      () => Promise.resolve(statFields(child)),
      (fields) => fields !== null && hasEnded(fields),
    )
    expect(isAlive(child)).toBe(false)
  } finally {
    parent.kill('SIGKILL')
  }
})
