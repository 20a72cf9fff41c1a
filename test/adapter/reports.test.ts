/** `report.sh`, run as the agent program runs it, and how its files are parsed. */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import { hangsAfterMs } from '../../lab/until.js'

const script = fileURLToPath(new URL('../../agents/claude-code/launch/report.sh', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'adapter-reports-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folder = ''
let n = 0
beforeEach(() => {
  folder = join(root, `${++n}`)
  mkdirSync(folder, { mode: 0o700 })
})

const at = '2026-11-22T03:00:00.000Z'
const failure = (text: string): string =>
  JSON.stringify({ error: 'rate_limit', agent_id: text, last_assistant_message: text })
const status = (used: number): string =>
  JSON.stringify({
    session_id: 's',
    rate_limits: { five_hour: { used_percentage: used, resets_at: 1795296250 } },
  })

interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

const report = (event: string, body: string, more: string[] = [], to = folder): Outcome => {
  const drop = ['UserPromptSubmit', 'Stop', 'PermissionRequest'].includes(event)
  const args = [script, to, event, 'garden', '7', drop ? 'drop' : 'keep', ...more]
  return spawnSync('/bin/sh', args, { input: body, encoding: 'utf8', timeout: hangsAfterMs })
}
const silent = { status: 0, stdout: '', stderr: '' }
const files = (): string[] => readdirSync(folder)
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

describe('a report', () => {
  it('is one private file that names what was reported and by which process', () => {
    expect(report('StopFailure', failure('x'))).toMatchObject(silent)
    const [name] = files()
    expect(statSync(join(folder, name!)).mode & 0o777).toBe(0o600)
    expect(claudeCode.parseReport(name!, read(name!), at)).toEqual({
      session: 'garden',
      fence: 7,
      at,
      kind: 'turn-failed',
      error: 'rate_limit',
      subagent: true,
    })
  })

  it('of two writers with 200 reports each, none is lost or torn, and no reader ever sees half of one', async () => {
    const body = failure('y'.repeat(20_000))
    const writer = (): Promise<number | null> =>
      new Promise((resolve) => {
        const loop = `i=0; while [ $i -lt 200 ]; do i=$((i+1)); printf '%s' "$BODY" | /bin/sh "$@"; done`
        const args = ['-c', loop, 'sh', script, folder, 'StopFailure', 'garden', '7', 'keep']
        spawn('/bin/sh', args, { env: { PATH: process.env['PATH'], BODY: body } }).on('close', resolve)
      })
    const torn: string[] = []
    const checkFolder = (): void => {
      for (const name of files()) if (!name.startsWith('.') && read(name).trim() !== body) torn.push(name)
    }
    const watch = setInterval(checkFolder, 200)
    await Promise.all([writer(), writer()])
    clearInterval(watch)
    checkFolder()
    expect(torn).toEqual([])
    expect(files()).toHaveLength(400)
    for (const name of files())
      expect(claudeCode.parseReport(name, read(name), at)).toMatchObject({ kind: 'turn-failed' })
  })

  it('two processes with the same number, one after the other, do not overwrite each other', () => {
    // The name holds the number of the process; in a loop of one shell it stays the same.
    const loop = 'for i in 1 2 3; do (. "$0") < /dev/null; done'
    const args = [script, folder, 'Stop', 'garden', '7', 'drop']
    execFileSync('/bin/sh', ['-c', loop, ...args])
    execFileSync('/bin/sh', [
      '-c',
      'for i in 1 2 3; do echo "{}" | (. "$0"); done',
      script,
      folder,
      'SessionEnd',
      'garden',
      '7',
      'keep',
    ])
    expect(files().filter((name) => name.includes('.Stop.'))).toHaveLength(3)
    expect(files().filter((name) => name.includes('.SessionEnd.'))).toHaveLength(3)
    expect(files()).toHaveLength(6)
  })

  it.each(['UserPromptSubmit', 'Stop', 'PermissionRequest'])(
    'law 11: %s keeps nothing of what was said, however long it is',
    (event) => {
      expect(report(event, `{"prompt":"secret ${'z'.repeat(300_000)}"}`)).toMatchObject(silent)
      const [name, ...others] = files()
      expect(others).toEqual([])
      expect(read(name!)).toBe('')
      expect(claudeCode.parseReport(name!, '', at)).toMatchObject({ session: 'garden', fence: 7 })
    },
  )
})

describe('a report that cannot be written', () => {
  it('does not disturb the agent if the folder is gone', () => {
    for (const event of ['StopFailure', 'Stop', 'StatusLine'])
      expect(report(event, status(1), [], join(root, 'nowhere'))).toMatchObject(silent)
  })

  it('does not disturb the agent if the disk is full, and leaves no partial file', () => {
    const isRoot = userInfo().uid === 0
    const mounted =
      isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder]).status === 0
    try {
      if (mounted) spawnSync('dd', ['if=/dev/zero', `of=${join(folder, 'fill')}`, 'bs=1k', 'count=64'])
      else chmodSync(folder, 0o500)
      if (isRoot && !mounted) return
      expect(report('StopFailure', failure('x'.repeat(50_000)))).toMatchObject(silent)
      expect(report('Stop', 'x')).toMatchObject(silent)
      const shown = report('StatusLine', status(4), ['printf "shown: "; cat'])
      expect(shown).toEqual(
        expect.objectContaining({ status: 0, stdout: `shown: ${status(4)}\n`, stderr: '' }),
      )
      expect(files().filter((name) => name !== 'fill' && read(name) !== '')).toEqual([])
    } finally {
      if (mounted) execFileSync('umount', [folder])
      else chmodSync(folder, 0o700)
    }
  })
})

describe('the status line', () => {
  it("shows what the user's own command prints, with its exit code, input and environment", () => {
    const own = `cat; umask; echo "$0 [\${op_extra-unset}]"; echo oops >&2; exit 3`
    const input = status(12)
    const without = spawnSync('/bin/sh', ['-c', own], { input: `${input}\n`, encoding: 'utf8' })
    const chained = report('StatusLine', input, [own])
    expect({ ...chained, pid: 0, output: 0 }).toEqual({ ...without, pid: 0, output: 0 })
    expect(read('garden.7.StatusLine.last').trim()).toBe(input)
  })

  it('of many, only the newest is kept: a worker that was down finds one file', () => {
    for (const used of [10, 20, 30]) report('StatusLine', status(used))
    expect(files()).toEqual(['garden.7.StatusLine.last'])
    expect(claudeCode.parseReport(files()[0]!, read(files()[0]!), at)).toMatchObject({
      kind: 'quota',
      windows: [{ name: 'five_hour', used: 0.3, resetsAt: '2026-11-21T21:24:10.000Z', readAt: at }],
    })
  })

  it('without quota numbers leaves no file, prints nothing and still runs the user’s command', () => {
    expect(report('StatusLine', '{"session_id":"s"}')).toMatchObject(silent)
    expect(report('StatusLine', '{"session_id":"s"}', ['wc -c'])).toMatchObject({ status: 0 })
    expect(files()).toEqual([])
  })

  it('of a user whose command hangs can be ended like that command, and has reported before', async () => {
    const child = execFile('/bin/sh', [script, folder, 'StatusLine', 'garden', '7', 'keep', 'exec sleep 60'])
    child.stdin?.end(status(50))
    await expect.poll(() => files()).toEqual(['garden.7.StatusLine.last'])
    const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)))
    // The command has replaced the process, so nothing is left behind by the signal.
    await expect.poll(() => readFileSync(`/proc/${child.pid ?? 0}/cmdline`, 'utf8')).toMatch(/^sleep/)
    child.kill('SIGTERM')
    expect(await ended).toBe('SIGTERM')
  })
})

describe('parsing', () => {
  it.each([
    ['a dotted file of a writer at work', '.garden.7.Stop.12-1', ''],
    ['a file of another program', 'notes.txt', '{}'],
    ['an event of another version', 'garden.7.PostToolUse.12-1', '{}'],
    ['a cut body', 'garden.7.StopFailure.12-1', '{"error":"rate'],
    ['a notice without a question', 'garden.7.Notification.12-1', '{"notification_type":"idle_prompt"}'],
    ['a status without quota', 'garden.7.StatusLine.last', '{"rate_limits":{}}'],
  ])('%s is not a report', (_, name, body) => {
    expect(claudeCode.parseReport(name, body, at)).toBeNull()
  })

  it.each([
    [
      'garden.7.SessionStart.12-1',
      '{"session_id":"s","transcript_path":"/t","source":"resume"}',
      { kind: 'started', sessionId: 's', transcript: '/t', source: 'resume' },
    ],
    ['garden.7.UserPromptSubmit.12-1', '', { kind: 'turn-started' }],
    ['garden.7.Stop.12-3', '', { kind: 'turn-ended' }],
    [
      'garden.7.StopFailure.12-1',
      '{"error":"server_error"}',
      { kind: 'turn-failed', error: 'server_error', subagent: false },
    ],
    ['garden.7.PermissionRequest.12-1', '', { kind: 'needs-person', what: 'permission prompt' }],
    [
      'garden.7.Notification.12-1',
      '{"notification_type":"permission_prompt","message":"Claude needs your permission"}',
      { kind: 'needs-person', what: 'Claude needs your permission' },
    ],
    ['garden.7.SessionEnd.12-1', '{"reason":"clear"}', { kind: 'ended', reason: 'clear' }],
  ])('%s', (name, body, expected) => {
    expect(claudeCode.parseReport(name, body, at)).toEqual({ session: 'garden', fence: 7, at, ...expected })
  })
})
