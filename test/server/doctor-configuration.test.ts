/**
 * What `outpool doctor` finds in configuration and settings. What only reads files is asked itself: each run of the command starts
 * the agent program twice for a login.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Place } from '../../agents/adapter/place.js'
import { examinerOf } from '../../agents/index.js'
import { checkConfigDir } from '../../worker/doctor/configuration.js'
import { differences } from '../../worker/doctor/differences.js'
import { named, useDoctorHost } from './doctorHost.js'

const host = useDoctorHost()
const examiner = examinerOf('claude-code')!
const placeOf = (name: string): Place => ({
  ...{ kind: 'account', name, configDir: host().loginDir(name), env: {} },
})

describe('configuration', () => {
  it('reports every error of a wrong file with its line, and checks the host all the same', async () => {
    mkdirSync(host().loginDir('max-1'), { recursive: true })
    const text = `pool:\n  name: main\n  moveAt: lots\n  accounts:\n    - { name: max-1, configDir: ${host().loginDir('max-1')}, celing: 80% }\n`
    writeFileSync(join(host().dir, 'outpool.yaml'), text)
    const { code, findings } = await host().examine()
    expect(code).toBe(2)
    const faults = named(findings, 'configuration')
    expect(faults).toHaveLength(2)
    expect(faults[0]!.found).toMatch(/outpool\.yaml:3:\d+: pool\.moveAt/)
    expect(faults[1]!.remedy).toMatch(/did you mean ceiling/)
    expect(named(findings, 'accounts')[0]!.state).toBe('warn')
    expect(named(findings, 'disk of home')[0]!.state).toBe('ok')
    expect(named(findings, 'tmux')[0]!.state).toBe('ok')
  })

  it('says how to get a configuration if there is none', async () => {
    const { code, findings } = await host().examine()
    expect(code).toBe(2)
    expect(named(findings, 'configuration')[0]!.remedy).toMatch(/outpool init/)
  })

  it('reports a config dir that others can read', async () => {
    host().beHealthy()
    chmodSync(host().loginDir('max-1'), 0o777)
    chmodSync(join(host().loginDir('max-2'), '.credentials.json'), 0o644)
    const look = (name: string) => checkConfigDir(placeOf(name), examiner, process.getuid?.() ?? null)
    expect(await look('max-1')).toMatchObject([
      { state: 'fail', remedy: `chmod go-w ${host().loginDir('max-1')}` },
    ])
    expect(await look('max-2')).toMatchObject([{ state: 'warn' }])
    expect(await look('medic')).toMatchObject([{ state: 'ok' }])
  })

  it('finds settings under which Outpool would be blind, or another login would be used', async () => {
    host().beHealthy()
    host().login('max-1', 'max-1', {
      disableAllHooks: true,
      env: { ANTHROPIC_API_KEY: 'made-up-key-in-settings' },
    })
    host().login('max-2', 'max-2', { cleanupPeriodDays: 1, env: { CLAUDE_CODE_RETRY_WATCHDOG: '1' } })
    const { code, findings } = await host().examine()
    expect(code).toBe(1)
    const first = named(findings, 'settings max-1')
    expect(first.map(({ state }) => state)).toEqual(['fail', 'fail'])
    expect(first[0]!.found).toMatch(/^disableAllHooks in /)
    expect(first[1]!.found).toMatch(/^env\.ANTHROPIC_API_KEY in .* is used instead of the login/)
    const second = named(findings, 'settings max-2')
    expect(second.map(({ state }) => state)).toEqual(['warn', 'fail'])
    expect(named(findings, 'settings medic')).toEqual([])
    expect(JSON.stringify(findings)).not.toContain('made-up-key-in-settings')
  })

  it('law 4: names the settings that the installed program cannot use, before a session is sent there', async () => {
    host().beHealthy()
    host().login('max-1', 'max-1', { hooks: { NoSuchEvent: [] } })
    host().login('max-2', 'max-2', { cleanupPeriodDays: 'many', permissions: { defaultMode: 'never' } })
    writeFileSync(join(host().loginDir('medic'), 'settings.json'), '{ "model": ')
    const { code, findings } = await host().examine()
    expect(code).toBe(1)
    const file = (name: string): string => join(host().loginDir(name), 'settings.json')
    const skipped = named(findings, 'settings max-1')
    expect(skipped).toMatchObject([{ state: 'warn' }])
    expect(skipped[0]!.found).toContain(
      `hooks.NoSuchEvent in ${file('max-1')}: Unknown hook event "NoSuchEvent"`,
    )
    const unusable = named(findings, 'settings max-2')
    expect(unusable.map(({ state }) => state)).toEqual(['fail', 'fail'])
    expect(unusable[0]!.found).toContain(
      `cleanupPeriodDays in ${file('max-2')}: Expected number, but received string`,
    )
    expect(unusable[1]!.found).toContain(`permissions.defaultMode in ${file('max-2')}: Invalid value.`)
    const broken = named(findings, 'settings medic')
    expect(broken).toMatchObject([{ state: 'fail' }])
    expect(broken[0]!.found).toContain(file('medic'))
  })

  it('names what a session would lack on another account, by name alone', async () => {
    host().beHealthy()
    host().login('max-1', 'max-1', {
      enabledPlugins: { 'lint@shop': true, 'off@shop': false },
      hooks: {
        PreToolUse: [{ matcher: 'Bash', hooks: [{ type: 'command', command: 'guard --key made-up' }] }],
      },
      permissions: { allow: ['Bash(git status)'], deny: ['Read(./.env)'] },
    })
    host().login('max-2', 'max-2', { permissions: { allow: ['Bash(git status)'] } })
    const global = join(host().loginDir('max-1'), '.claude.json')
    const config = JSON.parse(readFileSync(global, 'utf8')) as object
    const server = { command: 'true', env: { TOKEN: 'made-up-token' } }
    writeFileSync(
      global,
      JSON.stringify({
        ...config,
        mcpServers: { github: server },
        projects: { '/work': { mcpServers: { local: server } } },
      }),
    )
    const skill = join(host().loginDir('max-2'), 'skills', 'review')
    mkdirSync(skill, { recursive: true })
    writeFileSync(join(skill, 'SKILL.md'), '---\nname: review\ndescription: reviews\n---\n')
    const inventories = ['max-1', 'max-2'].map(async (name) => ({
      name,
      inventory: await examiner.inventory(placeOf(name)),
    }))
    const findings = differences(await Promise.all(inventories))
    expect(named(findings, 'differences max-1').map(({ found }) => found)).toEqual([
      'sessions moved here from max-2 miss skills: review',
    ])
    const missed = named(findings, 'differences max-2')
    expect(missed.map(({ found }) => found.replace(/#\w{4}/, '#'))).toEqual([
      'sessions moved here from max-1 miss MCP servers: github, local (/work)',
      'sessions moved here from max-1 miss plugins: lint@shop',
      'sessions moved here from max-1 miss hooks: PreToolUse(Bash) #',
      'sessions moved here from max-1 miss permissions: deny Read(./.env)',
    ])
    expect(missed.every(({ state, remedy }) => state === 'warn' && remedy !== null)).toBe(true)
    expect(JSON.stringify(findings)).not.toContain('made-up')
  })

  it('lists the exported variables that sessions will not get', async () => {
    host().beHealthyAndSmall()
    host().env['ANTHROPIC_API_KEY'] = 'sk-ant-api03-made-up'
    const { code, findings } = await host().examine()
    expect(code).toBe(0)
    expect(named(findings, 'environment')[0]!.found).toMatch(/^ANTHROPIC_API_KEY set here, but not passed/)
    expect(named(findings, 'login max-1')[0]!.found).toBe('logged in as max-1@example.com')
    expect(JSON.stringify(findings)).not.toContain('sk-ant')
  })
})
