/** `outpool config` and `outpool accounts add|remove|drain|enable` when no engine and no worker run. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestHome, newTestHome, useWarmCommands } from './testHome.js'

const commands = useWarmCommands()
let place: TestHome
beforeEach(() => {
  place = newTestHome(commands)
})
afterEach(() => place.remove())

const file = () => place.config

describe('config', () => {
  it('check, show and path', async () => {
    const check = await place.run(['config', 'check'])
    expect(check.code).toBe(0)
    expect(check.stdout).toContain('2 accounts, 1 reserved account')
    expect(check.stderr).toContain('no worker runs')
    const show = await place.run(['config', 'show', '--json'])
    expect(JSON.parse(show.stdout)).toMatchObject({ pool: { moveAt: '95%' }, timing: { probeEvery: '5m' } })
    expect((await place.run(['config', 'show'])).stdout).toContain('\n  moveAt: 95%\n')
    expect(await place.run(['config', 'path'])).toMatchObject({ code: 0, stdout: `${file()}\n` })
  })

  it('check reports every issue of a wrong file with its line, exit 2', async () => {
    writeFileSync(file(), 'pool:\n  acounts: []\n')
    const plain = await place.run(['config', 'check'])
    expect(plain).toMatchObject({ code: 2, stdout: '' })
    expect(plain.stderr).toContain('outpool.yaml:2:3: pool.acounts is not a known key')
    const json = await place.run(['config', 'check', '--json'])
    expect(json.code).toBe(2)
    expect(JSON.parse(json.stdout)).toMatchObject({
      issues: [{ line: 2 }, { line: expect.any(Number) as number }],
    })
  })

  it('a worker that runs decides which file is used, and check says why it keeps an older text', async () => {
    const other = join(place.dir, 'work', 'fleet.yaml')
    writeFileSync(other, readFileSync(file(), 'utf8').replaceAll('~/', '../'))
    const kept = { digest: '', at: new Date().toISOString(), problem: 'line 3: something is wrong' }
    const inUse = {
      pid: process.pid,
      file: other,
      byContent: false,
      digest: 'old',
      timing: '',
      takenAt: kept.at,
      kept,
    }
    writeFileSync(join(place.home, 'config.json'), JSON.stringify(inUse))
    const path = await place.run(['config', 'path'])
    expect(path).toMatchObject({ code: 0, stdout: `${other}\n` })
    const check = await place.run(['config', 'check'])
    expect(check.code).toBe(1)
    expect(check.stderr).toContain('keeps an older text of it in use: line 3: something is wrong')
    writeFileSync(join(place.dir, 'outpool.yaml'), '')
    expect((await place.run(['ls'])).stderr).toContain(`the running worker uses ${other}`)
    // It has ended: another process may have its number, but this one is never given to any.
    writeFileSync(join(place.home, 'config.json'), JSON.stringify({ ...inUse, pid: 2 ** 30 }))
    expect((await place.run(['config', 'path'])).stdout).toBe(`${file()}\n`)
  })
})

describe('law 15: a repository of someone else', () => {
  let repository: string
  beforeEach(() => {
    repository = join(place.dir, 'work')
    mkdirSync(join(repository, '.git'))
  })
  const inRepository = (...args: string[]) => place.run(args, { cwd: repository })
  const planted = 'pool: { accounts: [{ name: max-1, configDir: ~/.claude-max-1 }] }\n'

  it('brings an outpool.yaml, which is passed over until it is named or trusted', async () => {
    const local = join(repository, 'outpool.yaml')
    writeFileSync(local, planted)
    const own = await inRepository('ls')
    expect(own.stderr).toContain(`this command uses ${place.config}, not ${local}`)
    expect((await inRepository('config', 'path')).stdout).toBe(`${place.config}\n`)
    expect((await inRepository('config', 'path', '--config', 'outpool.yaml')).stdout).toBe(`${local}\n`)
    rmSync(place.config)
    for (const args of [['start', 'a'], ['up'], ['accounts', 'drain', 'max-1'], ['config', 'check']]) {
      const { code, stdout, stderr } = await inRepository(...args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain(`outpool trust ${repository}`)
    }
    expect((await inRepository('ls')).stderr).toContain('neither named nor trusted')
    // Only to look changes nothing.
    const seen = await inRepository('trust', '--dry-run', '.')
    expect(seen).toMatchObject({ code: 1, stdout: expect.stringContaining(`new: ${local}`) as string })
    expect((await inRepository('config', 'check')).code).toBe(2)
    const trusted = await inRepository('trust', '.')
    expect(trusted.stdout).toContain(`new: ${local} names logins, programs and tasks`)
    expect((await inRepository('config', 'path')).stdout).toBe(`${local}\n`)
    // An edit by the person's own command stays trusted, and one by another does not.
    expect((await inRepository('accounts', 'drain', 'max-1')).code).toBe(0)
    expect((await inRepository('config', 'check')).code).toBe(0)
    writeFileSync(local, `${planted}services: [{ name: bot, run: [./evil] }]\n`)
    expect((await inRepository('config', 'check')).code).toBe(2)
  })

  it('brings what its outpool.yaml names, which is trusted with it; a later change asks for that again', async () => {
    const local = join(repository, 'outpool.yaml')
    const script = join(repository, 'evil')
    writeFileSync(local, `${planted}services: [{ name: bot, run: [./evil] }]\n`)
    writeFileSync(script, 'echo harmless\n', { mode: 0o755 })
    rmSync(place.config)
    const trusted = await inRepository('trust', '.')
    expect(trusted.stdout).toContain(`new: ${script} is a program that it names`)
    expect((await inRepository('config', 'check')).code).toBe(0)
    writeFileSync(script, 'echo evil\n')
    const changed = await inRepository('config', 'check')
    expect(changed.code).toBe(2)
    expect(changed.stderr).toContain(
      `the program ${script} came with this configuration, and you do not trust it as it is now\n  -> read it, then run: outpool trust ${repository}`,
    )
    // Trust by content is for a file that no person has named; a file that others may write is refused in any case.
    expect((await inRepository('config', 'check', '--config', local)).code).toBe(0)
    chmodSync(script, 0o777)
    const open = await inRepository('config', 'check', '--config', local)
    expect(open.code).toBe(2)
    expect(open.stderr).toContain(
      `outpool.yaml:2:30: the program ${script} can be written by other users\n  -> chmod go-w`,
    )
  })

  it('brings settings that act by themselves: start and the check of the configuration refuse its folder at once', async () => {
    mkdirSync(join(repository, '.claude'))
    const settings = join(repository, '.claude', 'settings.json')
    writeFileSync(settings, JSON.stringify({ apiKeyHelper: './evil' }))
    appendFileSync(
      place.config,
      `tasks: [{ name: garden, every: 3h, agent: claude-code, cwd: ${repository}, prompt: Weed. }]\n`,
    )
    const refusal = { code: 1, stderr: expect.stringContaining(`outpool trust ${repository}`) as string }
    const started = await inRepository('start', 'a')
    expect(started).toMatchObject(refusal)
    expect(started.stderr).toContain(`${settings} sets apiKeyHelper`)
    const check = await place.run(['config', 'check'])
    expect(check).toMatchObject(refusal)
    expect(check.stderr).toContain(`task garden is refused in ${repository}`)
    expect((await inRepository('trust', '.')).code).toBe(0)
    // From here on only the engine is missing.
    expect((await inRepository('start', 'a')).code).toBe(3)
    expect((await place.run(['config', 'check'])).code).toBe(0)
  })

  it('init writes the configuration of the user, wherever it is called', async () => {
    rmSync(place.config)
    writeFileSync(join(place.dir, '.claude-max-1', 'settings.json'), '{}')
    const { code, stdout } = await inRepository('init')
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(place.config) as string })
    expect(existsSync(join(repository, 'outpool.yaml'))).toBe(false)
    expect((await place.run(['config', 'path'])).stdout).toBe(`${place.config}\n`)
  })
})

describe('accounts', () => {
  it('are added, drained, enabled and removed in the file; its mode and a link to it stay', async () => {
    const real = join(place.dir, 'real.yaml')
    const before = `# Mine.\n${readFileSync(file(), 'utf8')}`
    writeFileSync(real, before)
    chmodSync(real, 0o640)
    const link = join(place.dir, 'link.yaml')
    symlinkSync(real, link)
    mkdirSync(join(place.dir, '.claude-max-3'))
    const edit = async (...args: string[]) => {
      const { code, stderr } = await place.run(['accounts', ...args, '--config', link])
      expect(code, stderr).toBe(0)
      return readFileSync(real, 'utf8')
    }
    const added = await edit('add', 'max-3', '--ceiling', '70%')
    const line = '    - { name: max-3, configDir: ~/.claude-max-3, ceiling: 70% }\n'
    expect(added.replace(line, '')).toBe(before)
    expect(await edit('drain', 'max-3')).toBe(added.replace('70% }', '70%, drain: true }'))
    expect((await place.run(['config', 'check', '--config', link])).code).toBe(0)
    expect(await edit('enable', 'max-3')).toBe(added)
    expect(await edit('remove', 'max-3')).toBe(before)
    expect(statSync(real).mode & 0o777).toBe(0o640)
    expect(realpathSync(link)).toBe(real)
  })

  it.each<[string[], number, string]>([
    [['add', 'max-9'], 2, '.claude-max-9 of max-9 does not exist'],
    [['add', 'max-1'], 2, 'the name max-1 is already in use'],
    [['add', 'twin', '--config-dir', '~/.claude-medic'], 2, 'rescuer shares the failure domain it heals'],
    [['add', 'x', '--max-sessions', 'many'], 2, 'not a whole number'],
    [['add'], 2, 'the name of the account is missing'],
    [['drain', 'medic'], 2, 'reserved for the healer'],
    [['remove', 'max-9'], 2, 'there is no account max-9'],
    [['retire', 'max-1'], 2, 'add, remove, drain, enable'],
  ])('%j is refused, and the file stays as it is', async (args, exit, problem) => {
    const before = readFileSync(file(), 'utf8')
    const { code, stderr } = await place.run(['accounts', ...args])
    expect({ code, stderr }).toEqual({ code: exit, stderr: expect.stringContaining(problem) as string })
    expect(readFileSync(file(), 'utf8')).toBe(before)
  })

  it('law 5: an account is not removed while it is not known whether sessions are on it', async () => {
    writeFileSync(
      join(place.home, 'engine.json'),
      JSON.stringify({ address: '127.0.0.1:1', namespace: 'default', uiUrl: null, pid: 2 ** 30 }),
    )
    const { code, stderr } = await place.run(['accounts', 'remove', 'max-1'])
    expect(code).toBe(1)
    expect(stderr).toContain('--force')
    expect((await place.run(['accounts', 'remove', 'max-1', '--force'])).code).toBe(0)
    expect(readFileSync(file(), 'utf8')).not.toContain('max-1')
  })
})
