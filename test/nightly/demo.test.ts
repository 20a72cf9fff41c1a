/** The demonstration, as a person runs it: on real parts, and without leftovers when it has ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { columnsOf } from '../../client/output/terminal.js'
import { until } from '../../lab/until.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * A private TMPDIR marks every process of a run: each inherits it, or has a path in it on its command line.
 */
let tmp: string
let child: ChildProcess | null = null
let output = ''

beforeEach(() => {
  tmp = mkdtempSync(join(tmpdir(), 'outpool-demo-'))
  output = ''
})

afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    await until('the end', () => Promise.resolve(child), hasEnded)
  }
  rmSync(tmp, { recursive: true, force: true })
})

/** As a person without an agent program and a configuration does, in a clone. */
function start(...args: string[]): ChildProcess {
  const home = join(tmp, 'home')
  mkdirSync(home)
  const PATH = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !existsSync(join(folder, 'claude')))
  const XDG_CACHE_HOME = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const env = { PATH: PATH.join(delimiter), HOME: home, XDG_CACHE_HOME, TMPDIR: tmp, NO_COLOR: '' }
  const made = spawn(process.execPath, [join(root, 'dist/client/bin.js'), 'demo', ...args], {
    env,
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  for (const stream of [made.stdout, made.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child = made
  return made
}

const hasEnded = (one: ChildProcess | null): boolean => one?.exitCode !== null || one.signalCode !== null

/** Waits for its end. If it does not end, the output is in the error. */
async function end(): Promise<number | null> {
  await until(
    'the demonstration',
    () => Promise.resolve({ ended: hasEnded(child), output }),
    ({ ended }) => ended,
  )
  return child?.exitCode ?? null
}

/** Ids of live processes that belong to this run, by command line or environment. */
function leftoverPids(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => ['cmdline', 'environ'].some((file) => contentOf(`/proc/${pid}/${file}`).includes(tmp)))
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const folders = (): string[] => readdirSync(tmp).filter((name) => name.startsWith('outpool'))

describe.runIf(process.platform === 'linux')('outpool demo (Linux)', () => {
  it('laws 3, 5: shows the rescue with the whole conversation, and leaves nothing behind', async () => {
    start()
    expect(await end(), output).toBe(0)
    expect(output).toContain('max-1: the API refuses the agent')
    expect(output).toContain('Outpool: carry the conversation from max-1, respawn under max-2: ')
    expect(output).toMatch(/\b([1-9]\d*) of \1 earlier messages were word for word/)
    expect(output).toContain("the conversation's id is the same")
    expect(output).toContain('outpool init')
    expect(output.split('\n').filter((line) => columnsOf(line) > 80)).toEqual([])
    expect(output).not.toContain('\u001b')
    expect(leftoverPids()).toEqual([])
    expect(folders()).toEqual([])
    expect(readdirSync(join(tmp, 'home'))).toEqual([])
  })

  it('ends everything when its command is killed', async () => {
    const { pid = 0 } = start()
    await until(
      'the agent',
      () => Promise.resolve(output),
      (text) => text.includes('max-1 │ ❯'),
    )
    process.kill(pid, 'SIGKILL')
    await until(
      'the end of what it started',
      () => Promise.resolve({ pids: leftoverPids(), folders: folders() }),
      (left) => left.pids.length === 0 && left.folders.length === 0,
    )
  })

  it('ends everything when it is interrupted in the middle', async () => {
    const { pid = 0 } = start('--keep')
    await until(
      'the agent',
      () => Promise.resolve(output),
      (text) => text.includes('max-1 │ ❯'),
    )
    expect(leftoverPids().length).toBeGreaterThan(3)
    process.kill(-pid, 'SIGINT')
    expect(await end(), output).toBe(130)
    expect(leftoverPids()).toEqual([])
    expect(folders()).toEqual([])
  })

  it('--keep leaves it running, says where, and ends all of it with Ctrl-C', async () => {
    const { pid = 0 } = start('--keep')
    await until(
      'the note',
      () => Promise.resolve(output),
      (text) => text.includes('Ctrl-C here ends'),
    )
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(output.slice(output.indexOf('Left running')))?.[0] ?? ''
    expect((await fetch(address)).ok).toBe(true)
    expect(output).toMatch(/OUTPOOL_HOME=\S+/)
    process.kill(-pid, 'SIGINT')
    expect(await end(), output).toBe(0)
    expect(leftoverPids()).toEqual([])
    expect(folders()).toEqual([])
  })
})
