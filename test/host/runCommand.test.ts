/** The bounded runner of commands, on real processes. */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { resolveEnv } from '../../config/secrets/resolve.js'
import { type CommandRequest, runCommand } from '../../host/process/runCommand.js'
import { processStart } from '../../host/process/processes.js'
import { until } from '../../lab/until.js'

let dir: string
beforeEach(() => (dir = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-run-')))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const run = (script: string, more: Partial<CommandRequest> = {}) =>
  runCommand({
    ...{ run: ['/bin/sh', '-c', script], cwd: dir, env: {}, timeoutMs: 30_000, stopGraceMs: 2_000 },
    ...{ maxOutputBytes: 10_000, blockedBy: null, ...more },
  })

const pidIn = (file: string): number => Number(readFileSync(join(dir, file), 'utf8'))
const hasEnded = (file: string) =>
  until(
    `the end of ${file}`,
    () => processStart(pidIn(file)),
    (start) => start === null,
  )

describe('a command that runs', () => {
  it('returns what it printed on both outputs, its working folder and its environment', async () => {
    const result = await run('pwd; echo "$WORD" >&2', { env: { WORD: 'from the configuration' } })
    expect(result).toMatchObject({ ok: true, exitCode: 0, signal: null, timedOut: false, why: null })
    expect(result.tail.split('\n').sort()).toEqual(['', dir, 'from the configuration'])
  })

  it('gets its arguments unchanged, read by no shell', async () => {
    const odd = '$(touch hurt) `touch hurt`; touch hurt'
    const result = await runCommand({
      ...{ run: ['/usr/bin/printf', '%s', odd], cwd: dir, env: {}, timeoutMs: 5_000, stopGraceMs: 0 },
      ...{ maxOutputBytes: 1_000, blockedBy: null },
    })
    expect(result.tail).toBe(odd)
  })

  it('reads its input to the end, or ignores it', async () => {
    const input = 'x'.repeat(1_000_000)
    expect((await run('wc -c', { input })).tail.trim()).toBe('1000000')
    expect(await run('exit 0', { input })).toMatchObject({ ok: true })
    expect((await run('cat; echo end')).tail).toBe('end\n')
  })

  it('keeps the end of an endless output, in whole characters', async () => {
    const result = await run('yes "äöü" | head -c 20000000; printf "the end"', { maxOutputBytes: 1_002 })
    expect(Buffer.byteLength(result.tail)).toBeLessThanOrEqual(1_002)
    expect(result.tail).toMatch(/^[äöü\n]+the end$/)
    expect(result.printedBytes).toBe(20_000_007)
  })
})

describe('law 11: a secret that a program prints', () => {
  const key = `made-up-${'0123456789'.repeat(8)}`

  it('is not in what is kept of its output, also where that begins in the middle of it', async () => {
    await resolveEnv({ KEY: { fromCommand: ['echo', key] } })
    const shown = await run(`echo "before $KEY after"`, { env: { KEY: key } })
    expect(shown.tail).toBe('before [secret] after\n')
    for (const maxOutputBytes of [4, 20, 60, 90, 120]) {
      const { tail } = await run(`printf '%s' "$(yes filler | head -c 9000)$KEY end"`, {
        env: { KEY: key },
        maxOutputBytes,
      })
      expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(maxOutputBytes)
      expect(tail).toMatch(/(^|\]) end$|^end$|^ ?end$/)
      expect(tail).not.toContain('0123456789')
    }
  })

  it('law 11: its environment is what it is given, and nothing of the environment of Outpool', async () => {
    vi.stubEnv('OUTPOOL_TEST_SECRET', key)
    try {
      expect((await run('env', { env: { ONE: '1' } })).tail).not.toContain('OUTPOOL_TEST_SECRET')
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

describe('a command that fails says why', () => {
  it.each([
    ['exit 3', { exitCode: 3, why: 'it ended with exit code 3' }],
    ['kill -9 $$', { signal: 'SIGKILL', why: 'it was ended by SIGKILL' }],
  ])('%s', async (script, expected) => {
    expect(await run(script)).toMatchObject({ ok: false, ...expected })
  })

  it('a program, and a folder, that is not there', async () => {
    const missing = await run('', { run: ['no-such-program', 'x'] })
    expect(missing).toMatchObject({ ok: false, exitCode: null })
    expect(missing.why).toMatch(/^no-such-program cannot be started: .*ENOENT/)
    const lost = join(dir, 'gone')
    expect((await run('true', { cwd: lost })).why).toBe(`the folder ${lost} does not exist`)
  })
})

describe('a command that does not end', () => {
  it('is ended at its time limit, with everything that it started', async () => {
    const script = 'sleep 61 & echo $! > child; trap "" TERM; echo up; while :; do sleep 1; done'
    const result = await run(script, { timeoutMs: 1_000, stopGraceMs: 200 })
    expect(result).toMatchObject({ ok: false, timedOut: true, signal: 'SIGKILL', tail: 'up\n' })
    expect(result.why).toBe('it did not end within 1 s')
    await hasEnded('child')
  })

  it('is ended when it is cancelled', async () => {
    const off = new AbortController()
    const running = run('echo $$ > self; exec sleep 62', { abort: off.signal, onStart: () => off.abort() })
    expect(await running).toMatchObject({ ok: false, timedOut: false, why: 'it was cancelled' })
  })

  it('leaves nothing behind in its terminal session if it ended in time', async () => {
    expect(await run('sleep 63 & echo $! > child')).toMatchObject({ ok: true })
    await hasEnded('child')
  })

  it('does not wait for a process that escaped and holds its output open', async () => {
    const escape = `setsid sh -c 'echo $$ > child; exec sleep 64' &`
    const result = await run(`${escape} while [ ! -s child ]; do sleep 0.1; done; echo done`)
    expect(result).toMatchObject({ ok: true, tail: 'done\n' })
    process.kill(pidIn('child'), 'SIGKILL')
  })
})
