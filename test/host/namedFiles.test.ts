/** Files that a configuration names, which another user of the machine or the author of a repository may change. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { tryChannels } from '../../activities/notices.js'
import { prepareAgentTask } from '../../activities/tasks/agentTask.js'
import { runProgram } from '../../activities/tasks/runProgram.js'
import { ConfigError } from '../../config/errors.js'
import { loadConfig } from '../../config/load/load.js'
import { openHome, type Home } from '../../config/state/home.js'
import { FileRefusedError } from '../../host/errors.js'
import { Host } from '../../host/host.js'
import { trust } from '../../worker/trust.js'
import { isRoot, otherUser } from './otherUser.js'

let dir: string
let env: NodeJS.ProcessEnv
let home: Home
/** What `outpool trust` has printed. */
let printed: string[]
beforeEach(() => {
  printed = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line))
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-named-')))
  env = { HOME: dir, OUTPOOL_HOME: join(dir, 'state') }
  home = openHome(env)
  for (const name of ['login', 'work', 'work/sub']) mkdirSync(join(dir, name))
  // On most machines /bin is a link too.
  symlinkSync(join(dir, 'work'), join(dir, 'linked'))
  write('garden.md', 'Weed.')
  write('sub/bot.sh', 'echo fine\n')
  write('list.txt', 'a list')
  write('tell.sh', '#!/bin/sh\ntouch told\n', 0o755)
  write('outpool.yaml', configuration)
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(dir, { recursive: true, force: true })
})

const at = (name: string): string => join(dir, 'work', name)
const write = (name: string, text: string, mode = 0o644): void => {
  rmSync(at(name), { force: true })
  writeFileSync(at(name), text)
  chmodSync(at(name), mode)
}

const configuration = `pool: { accounts: [{ name: max-1, configDir: ~/login }] }
notices: { to: [{ name: me, command: [./tell.sh], cwd: . }] }
tasks:
  - { name: garden, every: 3h, agent: claude-code, cwd: ., prompt: { file: garden.md } }
  - { name: bot, every: 3h, run: [sh, -e, bot.sh], cwd: sub }
  - { name: list, every: 3h, run: [/bin/cat, list.txt], cwd: ../linked }
`

const load = (named: boolean) =>
  loadConfig(named ? { path: at('outpool.yaml'), env } : { env, cwd: join(dir, 'work') })
const issues = (named: boolean): string[] => {
  try {
    load(named)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.issues.map(({ line, problem, remedy }) => `${String(line)}: ${problem} -> ${remedy}`)
  }
}

describe('law 15: a file that a configuration names, and that others may write', () => {
  it.each<[string, () => void, RegExp]>([
    [
      'a prompt',
      () => chmodSync(at('garden.md'), 0o666),
      /^4: the prompt .*garden\.md can be written by other users -> chmod go-w/,
    ],
    [
      'a script',
      () => chmodSync(at('sub/bot.sh'), 0o646),
      /^5: the program .*sub\/bot\.sh can be written by other users/,
    ],
    [
      'a program',
      () => chmodSync(at('tell.sh'), 0o777),
      /^2: the program .*tell\.sh can be written by other users/,
    ],
    [
      'its folder',
      () => chmodSync(at('sub'), 0o777),
      /^5: the program .*bot\.sh can be replaced by other users, who can change .*sub/,
    ],
    [
      'the target of a link',
      () => {
        write('sub/real.md', 'x', 0o666)
        rmSync(at('garden.md'))
        symlinkSync(at('sub/real.md'), at('garden.md'))
      },
      /^4: the prompt .*garden\.md can be written by other users -> chmod go-w .*real\.md/,
    ],
  ])(
    'law 15: %s is refused with its line, even in a configuration that a person named',
    (_, open, refusal) => {
      expect(issues(true)).toEqual([])
      open()
      expect(issues(true)).toEqual([expect.stringMatching(refusal)])
    },
  )

  it('law 15: a file with a secret is refused, and none of its content is printed', () => {
    write('key', 'sk-planted', 0o622)
    write('outpool.yaml', `${configuration}agents: { claude-code: { env: { A_KEY: { fromFile: key } } } }\n`)
    expect(issues(true)).toEqual([
      expect.stringMatching(/^7: the secret .*key can be written by other users/),
    ])
    expect(issues(true).join()).not.toContain('planted')
  })

  it.runIf(isRoot)("law 15: another user's file is refused, and so is one in their folder (as root)", () => {
    chownSync(at('garden.md'), otherUser, otherUser)
    expect(issues(true)).toEqual([expect.stringMatching(/^4: .*garden\.md belongs to another user/)])
    write('garden.md', 'Weed.')
    chownSync(at('sub'), otherUser, otherUser)
    expect(issues(true)).toEqual([expect.stringMatching(/^5: .*bot\.sh can be replaced by other users/)])
  })

  it('law 15: one that was opened after the configuration was read is not used', async () => {
    const host = new Host(home, load(true))
    const signal = new AbortController().signal
    const words = { id: 'n', kind: 'test' as const, at: new Date().toISOString(), title: 't', text: 'x' }
    const notice = { notice: words, channels: ['me'] }
    expect(await runProgram(host, 'bot', signal)).toMatchObject({ ok: true })
    expect(await runProgram(host, 'list', signal)).toMatchObject({ ok: true })
    expect(await tryChannels(host, notice)).toEqual({ failed: [] })
    expect(await prepareAgentTask(host, 'garden')).toMatchObject({ cwd: join(dir, 'work') })
    for (const name of ['sub/bot.sh', 'tell.sh', 'garden.md']) chmodSync(at(name), 0o777)
    rmSync(at('told'))
    expect(await runProgram(host, 'bot', signal)).toMatchObject({
      ...{ ok: false, error: expect.stringContaining('can be written by other users') as string },
    })
    expect(await tryChannels(host, notice)).toEqual({
      failed: [{ channel: 'me', why: expect.stringContaining('can be written by other users') as string }],
    })
    expect(existsSync(at('told'))).toBe(false)
    await expect(prepareAgentTask(host, 'garden')).rejects.toThrow(FileRefusedError)
  })
})

describe('law 15: what came with a configuration that is trusted by its content', () => {
  const trustFolder = () => trust({ home, path: join(dir, 'work'), isRevoked: false, isDryRun: false })

  it('law 15: is part of the trust: a changed prompt, script or program asks for it again', async () => {
    expect(issues(false)).toEqual([expect.stringContaining('you do not trust it as it is now')])
    await trustFolder()
    expect(printed).toContain(`new: ${at('garden.md')} is a prompt that it names`)
    expect(load(false).byContent).toBe(true)
    for (const [name, what] of [
      ['garden.md', 'prompt'],
      ['sub/bot.sh', 'program'],
      ['tell.sh', 'program'],
    ]) {
      const mode = name === 'tell.sh' ? 0o755 : 0o644
      write(name!, '#!/bin/sh\necho changed\n', mode)
      expect(issues(false)).toEqual([
        `null: the ${what!} ${at(name!)} came with this configuration, and you do not trust it as it is now -> ` +
          `read it, then run: outpool trust ${join(dir, 'work')}`,
      ])
      // Trust by content is for a configuration that no person has named.
      expect(issues(true)).toEqual([])
      await trustFolder()
      expect(issues(false)).toEqual([])
    }
  })

  it('law 15: is not used once it has changed, and is again as soon as it is trusted', async () => {
    await trustFolder()
    const host = new Host(home, load(false))
    const signal = new AbortController().signal
    expect(await runProgram(host, 'bot', signal)).toMatchObject({ ok: true })
    write('sub/bot.sh', 'touch hurt\n')
    write('garden.md', 'Run my hooks.')
    expect(await runProgram(host, 'bot', signal)).toMatchObject({
      ...{ ok: false, error: expect.stringContaining(`outpool trust ${join(dir, 'work')}`) as string },
    })
    await expect(prepareAgentTask(host, 'garden')).rejects.toThrow(/you do not trust it as it is now/)
    await trustFolder()
    expect(await runProgram(host, 'bot', signal)).toMatchObject({ ok: true })
    expect(await prepareAgentTask(host, 'garden')).toMatchObject({ cwd: join(dir, 'work') })
  })

  it('law 15: is never trusted behind a link, nor once it was revoked', async () => {
    await trustFolder()
    await trust({ home, path: join(dir, 'work', 'sub'), isRevoked: true, isDryRun: false })
    expect(issues(false)).toEqual([expect.stringContaining('bot.sh came with this configuration')])
    await trustFolder()
    writeFileSync(join(dir, 'elsewhere.md'), 'Weed.')
    rmSync(at('garden.md'))
    symlinkSync(join(dir, 'elsewhere.md'), at('garden.md'))
    await trustFolder()
    expect(issues(false)).toEqual([
      expect.stringContaining('is a link or can be changed by others -> put a file of yours in its place'),
    ])
  })
})
