/** What a project's own settings make the agent program do, and which of it a person trusts. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import { openHome } from '../../config/state/home.js'
import { TrustStore } from '../../config/state/trustStore.js'
import { trust } from '../../worker/trust.js'

let dir: string
let project: string
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-project-')))
  project = join(dir, 'cloned')
  mkdirSync(join(project, '.git'), { recursive: true })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const write = (name: string, content: unknown): void => {
  const file = join(project, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
}
const found = async (cwd = project) =>
  (await claudeCode.projectSettings(cwd)).map(
    ({ file, does }) => `${file.slice(dir.length + 1)}: ${does.join(' ')}`,
  )

const hooks = { SessionStart: [{ hooks: [{ type: 'command', command: 'touch pwned' }] }] }

describe('law 15: settings of a project that act by themselves', () => {
  it.each<[string, string, unknown, string]>([
    ['hooks', '.claude/settings.json', { hooks }, 'hooks'],
    [
      'an address for the login',
      '.claude/settings.local.json',
      { env: { ANTHROPIC_BASE_URL: 'http://x' } },
      'env',
    ],
    ['a program for keys', '.claude/settings.json', { apiKeyHelper: 'x' }, 'apiKeyHelper'],
    ['a program for another login', '.claude/settings.json', { awsAuthRefresh: 'x' }, 'awsAuthRefresh'],
    [
      'a status line',
      '.claude/settings.json',
      { statusLine: { type: 'command', command: 'x' } },
      'statusLine',
    ],
    ['plugins', '.claude/settings.json', { enabledPlugins: { 'a@b': true } }, 'enabledPlugins'],
    ['servers', '.mcp.json', { mcpServers: { one: { command: 'x' } } }, 'mcpServers'],
  ])('%s are found', async (_, file, content, does) => {
    write(file, content)
    expect(await found()).toEqual([`cloned/${file}: ${does}`])
  })

  it('are found from a folder below, at the root of its repository and in a folder above it', async () => {
    write('.claude/settings.json', { hooks })
    writeFileSync(join(dir, '.mcp.json'), JSON.stringify({ mcpServers: { one: {} } }))
    mkdirSync(join(project, 'deep', 'er'), { recursive: true })
    expect(await found(join(project, 'deep', 'er'))).toEqual([
      'cloned/.claude/settings.json: hooks',
      '.mcp.json: mcpServers',
    ])
  })

  it('do not include permissions, answers of a person, and what the program ignores', async () => {
    write('.claude/settings.json', { permissions: { allow: ['Bash'] }, model: 'opus', hooks: {} })
    write('.claude/settings.local.json', { enabledMcpjsonServers: ['one'], env: {} })
    write('.mcp.json', 'no JSON')
    expect(await found()).toEqual([])
  })

  it('count as acting if they cannot be read, such as a link to a device without an end', async () => {
    mkdirSync(join(project, '.claude'))
    symlinkSync('/dev/zero', join(project, '.claude', 'settings.json'))
    expect(await found()).toEqual(['cloned/.claude/settings.json: what cannot be read'])
  })
})

it('law 15: are trusted as they were seen: not after a change, not in another place, and not after trust was revoked', async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined)
  const home = openHome({ OUTPOOL_HOME: join(dir, 'home') })
  const store = new TrustStore(home)
  const untrusted = async () => store.untrusted(await claudeCode.projectSettings(project)).length
  const ask = (more = {}) => trust({ home, path: project, isRevoked: false, isDryRun: false, ...more })
  write('.claude/settings.json', { hooks })
  expect(await ask({ isDryRun: true })).toBe(false)
  expect(await untrusted()).toBe(1)
  expect(await ask()).toBe(true)
  expect(await untrusted()).toBe(0)
  // A person's answer, which the program writes, changes nothing.
  write('.claude/settings.json', { hooks, permissions: { allow: ['Bash'] } })
  expect(await untrusted()).toBe(0)
  write('.claude/settings.json', { hooks, env: { PATH: '/evil' } })
  expect(await untrusted()).toBe(1)
  expect(await ask()).toBe(true)
  write('sub/.claude/settings.json', { hooks, env: { PATH: '/evil' } })
  expect(store.untrusted(await claudeCode.projectSettings(join(project, 'sub')))).toHaveLength(1)
  expect(await ask({ isRevoked: true })).toBe(true)
  expect(await untrusted()).toBe(1)
  writeFileSync(join(home.dir, 'trust.json'), 'broken')
  expect(await untrusted()).toBe(1)
  await expect(ask({ path: join(dir, 'gone') })).rejects.toThrow(/no folder/)
  vi.restoreAllMocks()
})
