/** How the adapter prepares a config dir for unattended work. No agent program runs here. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import lockfile from 'proper-lockfile'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Place } from '../../agents/adapter/place.js'
import { agentNamed } from '../../agents/index.js'
import { AgentFileError } from '../../agents/errors.js'
import { trustedFolder } from '../../agents/claude-code/setup/trust.js'
import { testPlaces, readJson, writeJson } from './places.js'

const adapter = agentNamed('claude-code')
const { dir, fresh, place } = testPlaces()

describe('what a person has answered for a project on another login', () => {
  const approved = {
    hasClaudeMdExternalIncludesApproved: true,
    hasClaudeMdExternalIncludesWarningShown: true,
  }
  const refused = { ...approved, hasClaudeMdExternalIncludesApproved: false }
  const answered = (projects: Record<string, object>, settings: object = {}): Place => {
    const target = place()
    writeJson(join(target.configDir, '.claude.json'), { projects })
    writeJson(join(target.configDir, 'settings.json'), settings)
    return target
  }
  const projectOf = (target: Place, cwd: string): unknown =>
    (readJson(join(target.configDir, '.claude.json')) as { projects: Record<string, unknown> }).projects[cwd]

  it('is copied, for this project alone, from the first place that has an answer', async () => {
    const cwd = fresh()
    const target = answered({ [cwd]: { allowedTools: ['x'] } })
    const silent = answered({ [fresh()]: approved })
    await adapter.prepare(target, cwd, [silent, answered({ [cwd]: refused }), answered({ [cwd]: approved })])
    expect(projectOf(target, cwd)).toEqual({ allowedTools: ['x'], ...refused, hasTrustDialogAccepted: true })
  })

  it('law 5: overwrites no answer, and decides nothing that no person has answered', async () => {
    const cwd = fresh()
    const target = answered({ [cwd]: refused })
    await adapter.prepare(target, cwd, [answered({ [cwd]: approved })])
    expect(projectOf(target, cwd)).toEqual({ ...refused, hasTrustDialogAccepted: true })
    const other = answered({})
    await adapter.prepare(other, cwd, [answered({ [cwd]: {} })])
    expect(projectOf(other, cwd)).toEqual({ hasTrustDialogAccepted: true })
  })

  it("about the project's MCP servers goes along with the launch, unless it is answered here or in the project", async () => {
    const cwd = fresh()
    const servers = ['one', 'two', 'three', 'four', 'five']
    writeJson(join(cwd, '.mcp.json'), { mcpServers: Object.fromEntries(servers.map((name) => [name, {}])) })
    mkdirSync(join(cwd, '.claude'))
    writeJson(join(cwd, '.claude', 'settings.local.json'), { disabledMcpjsonServers: ['three'] })
    const target = answered({}, { disabledMcpjsonServers: ['two'] })
    const from = answered(
      { [cwd]: { enabledMcpjsonServers: ['five'] } },
      {
        enabledMcpjsonServers: ['one', 'two', 'three', 'of another project'],
        disabledMcpjsonServers: ['four'],
      },
    )
    const launchDir = fresh()
    const input = {
      ...{ place: target, session: 's', sessionId: 'id', fence: 1, cwd, model: null, mode: 'new' as const },
      ...{ prompt: null, launchDir, reportDir: fresh(), command: { command: 'claude', args: [], env: {} } },
    }
    await adapter.planLaunch({ ...input, placesWithAnsweredPages: [from] })
    expect(readJson(join(launchDir, 'settings.json'))).toMatchObject({
      enabledMcpjsonServers: ['one', 'five'],
      disabledMcpjsonServers: ['four'],
    })
    await adapter.planLaunch(input)
    expect(readJson(join(launchDir, 'settings.json'))).not.toHaveProperty('enabledMcpjsonServers')
  })
})

describe('preparing a place', () => {
  it('keeps every unknown key, the file mode, and what is set already', async () => {
    const target = place({ ANTHROPIC_API_KEY: 'made-up-key-0123456789abcdefghij' })
    const [file, cwd] = [join(target.configDir, '.claude.json'), fresh()]
    const before = {
      numStartups: 7,
      oauthAccount: { accountUuid: 'u' },
      customApiKeyResponses: { approved: ['other'], rejected: ['0123456789abcdefghij'], seen: 1 },
      projects: { '/elsewhere': { hasTrustDialogAccepted: false }, [cwd]: { allowedTools: ['x'] } },
    }
    writeJson(file, before)
    chmodSync(file, 0o640)
    await adapter.prepare(target, cwd)
    expect(readJson(file)).toEqual({
      ...before,
      hasCompletedOnboarding: true,
      resumeReturnDismissed: true,
      customApiKeyResponses: { approved: ['other', '0123456789abcdefghij'], rejected: [], seen: 1 },
      projects: {
        '/elsewhere': { hasTrustDialogAccepted: false },
        [cwd]: { allowedTools: ['x'], hasTrustDialogAccepted: true },
      },
    })
    expect(statSync(file).mode & 0o777).toBe(0o640)
    const { ino, mtimeMs } = statSync(file)
    await adapter.prepare(target, cwd)
    expect(statSync(file)).toMatchObject({ ino, mtimeMs })
    expect(readdirSync(target.configDir)).toEqual(['.claude.json'])
  })

  it('loses nothing that others write at the same time under the same lock', async () => {
    const target = place()
    const file = join(target.configDir, '.claude.json')
    writeJson(file, { counter: 0 })
    const count = async (): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        const release = await lockfile.lock(file, {
          realpath: false,
          retries: { retries: 100, minTimeout: 2, maxTimeout: 20 },
        })
        const config = z.looseObject({ counter: z.number() }).parse(readJson(file))
        writeJson(file, { ...config, counter: config.counter + 1 })
        await release()
      }
    }
    const folders = Array.from({ length: 15 }, fresh)
    await Promise.all([count(), ...folders.map((cwd) => adapter.prepare(target, cwd))])
    const config = z
      .looseObject({ counter: z.number(), projects: z.record(z.string(), z.unknown()) })
      .parse(readJson(file))
    expect(config.counter).toBe(40)
    expect(Object.keys(config.projects).sort()).toEqual([...folders].sort())
  })

  it('waits for a lock that is held, and does not break it', async () => {
    const target = place()
    const file = join(target.configDir, '.claude.json')
    writeJson(file, {})
    const release = await lockfile.lock(file, { realpath: false })
    let done = false
    const prepared = adapter.prepare(target, fresh()).then(() => (done = true))
    // Long enough to show up if it did not wait: others are prepared meanwhile, one after the other.
    for (let i = 0; i < 5; i++) await adapter.prepare(place(), fresh())
    expect(done).toBe(false)
    expect(readJson(file)).toEqual({})
    await release()
    await prepared
    expect(readJson(file)).toMatchObject({ hasCompletedOnboarding: true })
  })

  it('a broken file is named, and left unchanged', async () => {
    const target = place()
    writeFileSync(join(target.configDir, '.claude.json'), '{"half":')
    await expect(adapter.prepare(target, dir)).rejects.toThrow(AgentFileError)
    expect(readFileSync(join(target.configDir, '.claude.json'), 'utf8')).toBe('{"half":')
  })

  it('the default set-up keeps its file beside the folder', async () => {
    const home = fresh()
    mkdirSync(join(home, '.claude'))
    const target: Place = {
      kind: 'account',
      name: 'a',
      configDir: join(home, '.claude'),
      env: { HOME: home },
    }
    writeJson(join(home, '.claude.json'), { oauthAccount: { accountUuid: 'mine' } })
    await adapter.prepare(target, dir)
    expect(readJson(join(home, '.claude.json'))).toMatchObject({ hasCompletedOnboarding: true })
    expect(existsSync(join(home, '.claude', '.claude.json'))).toBe(false)
    expect(await adapter.readIdentity(target)).toMatchObject({ identity: 'mine' })
  })
})

describe('the folder to trust', () => {
  it('is the repository, or the main one of a linked worktree, or the folder itself', async () => {
    const root = fresh()
    const inside = join(root, 'repository', 'a', 'b')
    mkdirSync(inside, { recursive: true })
    expect(await trustedFolder(inside)).toBe(inside)
    const gitDir = join(root, 'repository', '.git', 'worktrees', 'tree')
    mkdirSync(gitDir, { recursive: true })
    expect(await trustedFolder(inside)).toBe(join(root, 'repository'))
    const tree = join(root, 'tree')
    mkdirSync(join(tree, 'src'), { recursive: true })
    writeFileSync(join(tree, '.git'), `gitdir: ${gitDir}\n`)
    writeFileSync(join(gitDir, 'commondir'), '../..\n')
    expect(await trustedFolder(join(tree, 'src'))).toBe(join(root, 'repository'))
    const submodule = join(root, 'repository', 'module')
    mkdirSync(submodule)
    writeFileSync(join(submodule, '.git'), 'gitdir: ../.git/modules/module\n')
    expect(await trustedFolder(submodule)).toBe(submodule)
    symlinkSync(inside, join(root, 'link'))
    expect(await trustedFolder(join(root, 'link'))).toBe(join(root, 'repository'))
  })
})
