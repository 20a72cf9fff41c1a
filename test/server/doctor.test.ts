/** `outpool doctor` in a made-up home, with made-up logins, as the command line runs it: a separate process. */
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { blankLogin } from '../../lab/standin/logins.js'
import { checkNode, checkTmux } from '../../worker/doctor/programs.js'
import { failures, named, useDoctorHost } from './doctorHost.js'

const host = useDoctorHost()

describe('a host on which all is well', () => {
  it('exits 0 and shows as whom each account is logged in', async () => {
    host().beHealthy()
    const { code, findings } = await host().examine()
    expect(failures(findings)).toEqual([])
    expect(code).toBe(0)
    for (const name of ['max-1', 'max-2', 'medic'])
      expect(named(findings, `login ${name}`)).toMatchObject([
        { state: 'ok', found: `logged in as ${name}@example.com` },
      ])
    expect(named(findings, 'law 1')).toMatchObject([
      { state: 'ok', found: 'medic shares nothing with the pool' },
    ])
    for (const name of ['node', 'tmux', 'agent claude-code', 'configuration', 'engine', 'ports', 'worker'])
      expect(named(findings, name).map(({ state }) => state)).toEqual(['ok'])
    for (const { state, remedy } of findings) expect(remedy === null).toBe(state === 'ok')
  })

  it('prints aligned lines without colours into a pipe, and a sentence at the end', async () => {
    host().beHealthyAndSmall()
    const { code, stdout } = await host().run()
    expect(code).toBe(0)
    expect(stdout).not.toContain('\u001b')
    // The tokens and keys of all made-up logins contain this.
    expect(stdout).not.toContain('made-up')
    // It only reads: no file of an engine or a worker appears in the home.
    expect(readdirSync(join(host().dir, 'state')).sort()).toEqual([
      'events',
      'host.json',
      'incidents',
      'logs',
      'quota',
      'reports',
      'services',
      'sessions',
      'tasks',
    ])
    const lines = stdout.trimEnd().split('\n')
    const column = lines[0]!.indexOf(process.versions.node)
    expect(column).toBeGreaterThan(0)
    for (const line of lines.slice(0, -2)) expect(line[column - 1]).toBe(' ')
    expect(lines.at(-1)).toMatch(
      /^(All is well|Outpool can work): \d+ ok, (no|\d+) warnings?, no failures\.$/,
    )
  })
})

describe('programs', () => {
  /** A PATH that holds only what the test puts there. */
  function barePath(): void {
    mkdirSync(join(host().dir, 'bare'))
    host().env['PATH'] = join(host().dir, 'bare')
  }

  it('reports a missing tmux, and goes on with everything else', async () => {
    host().beHealthyAndSmall()
    barePath()
    const { code, findings } = await host().examine()
    expect(code).toBe(1)
    expect(failures(findings)).toEqual(['tmux'])
    expect(named(findings, 'tmux')[0]!.found).toBe('there is no tmux on the PATH')
    expect(named(findings, 'tmux')[0]!.remedy).toMatch(/Install tmux 3\.2/)
    expect(named(findings, 'login max-1')[0]!.state).toBe('ok')
    // Without Python the engine can still be downloaded, so this is a warning only.
    expect(named(findings, 'python3')[0]!.state).toBe('warn')
  })

  it.each([
    ['tmux 3.1c', 'fail'],
    ['tmux 3.2', 'ok'],
    ['tmux next-3.6', 'ok'],
    ['tmux master', 'ok'],
    ['tmux 2.9a', 'fail'],
  ])('judges %s: %s', async (version, state) => {
    host().program('tmux', `#!/bin/sh\necho "${version}"\n`)
    expect(await checkTmux(host().env)).toMatchObject({ state })
  })

  it.each([
    ['20.18.3', 'fail'],
    ['20.19.0', 'ok'],
    ['22.3.0', 'ok'],
  ])('judges Node.js %s: %s', (version, state) => expect(checkNode(version)).toMatchObject({ state }))

  it('reports a missing agent program, for the program and for each login', async () => {
    host().beHealthy()
    host().configure({ agents: { 'claude-code': { command: 'no-such-agent-program' } } })
    const { code, findings } = await host().examine()
    expect(code).toBe(1)
    expect(failures(findings)).toContain('agent claude-code')
    expect(named(findings, 'agent claude-code')[0]!.remedy).toMatch(/agents\.<agent>\.command/)
    expect(named(findings, 'law 1')[0]!.state).toBe('ok')
  })

  it('warns of an agent program that is too old to name the window that is used up', async () => {
    host().beHealthy()
    const old = host().program(
      'old-claude',
      `#!/bin/sh\n[ "$1" = --version ] && echo "2.1.197 (Claude Code)" && exit\nexec ${agentProgram} "$@"\n`,
    )
    host().configure({ agents: { 'claude-code': { command: old } } })
    const { code, findings } = await host().examine()
    expect(code).toBe(0)
    expect(named(findings, 'agent claude-code')[0]).toMatchObject({ state: 'warn' })
    expect(named(findings, 'agent claude-code')[0]!.found).toMatch(/2\.1\.197 .* older than 2\.1\.261/)
  })
})

describe('logins', () => {
  it('reports an account that was logged out, and how to log in again', async () => {
    host().beHealthy()
    blankLogin(host().loginDir('max-2'))
    const { code, findings } = await host().examine()
    expect(code).toBe(1)
    expect(failures(findings)).toEqual(['login max-2'])
    expect(named(findings, 'login max-2')[0]!.remedy).toContain(
      `CLAUDE_CONFIG_DIR=${host().loginDir('max-2')} `,
    )
  })

  it('law 4: warns of one login under two names, which is one account only', async () => {
    host().beHealthy()
    host().login('max-2', 'max-1')
    const { code, findings } = await host().examine()
    expect(code).toBe(0)
    const [, duplicate] = named(findings, 'login max-2')
    expect(duplicate).toMatchObject({ state: 'warn' })
    expect(duplicate!.found).toMatch(/^duplicate: the same login as max-1/)
  })

  it('law 1: fails if a reserved account is logged in as a pool account', async () => {
    host().beHealthy()
    host().login('medic', 'max-2')
    const { code, findings } = await host().examine()
    expect(code).toBe(2)
    expect(failures(findings)).toEqual(['law 1'])
    expect(named(findings, 'law 1')[0]!.found).toMatch(
      /rescuer shares the failure domain it heals: reserved account medic and pool account max-2/,
    )
  })

  it('law 1: fails if a reserved account uses a config dir of the pool under another path', async () => {
    host().beHealthy()
    rmSync(host().loginDir('medic'), { recursive: true })
    symlinkSync(host().loginDir('max-1'), host().loginDir('medic'))
    const { code, findings } = await host().examine()
    expect(code).toBe(2)
    expect(named(findings, 'configuration')[0]!.found).toMatch(/rescuer shares the failure domain it heals/)
  })
})
