import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findEngine } from '../../worker/engine/index.js'
import { obtainTemporal } from '../../worker/engine/find.js'
import { EngineSettingsError, WrongProgramError } from '../../worker/errors.js'
import { fakeTemporal } from '../../lab/engine/downloadHost.js'

describe('the order in which Temporal is looked for', () => {
  let folder: string
  let env: NodeJS.ProcessEnv
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'outpool-find-'))
    await mkdir(join(folder, 'bin'))
    env = { HOME: folder, PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') }
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function program(name: string, text: string): Promise<string> {
    const path = join(folder, name)
    await writeFile(path, text, { mode: 0o755 })
    return path
  }
  const found = async () => {
    const outlook = await findEngine(env)
    if (outlook.kind !== 'embedded') throw new Error('a named engine')
    return outlook
  }

  it('uses what OUTPOOL_TEMPORAL names before anything else', async () => {
    await program('bin/temporal', fakeTemporal('1.9.5'))
    const path = await program('mine', fakeTemporal('1.10.0', '1.33.1'))
    env['OUTPOOL_TEMPORAL'] = path
    expect((await found()).program).toMatchObject({ path, source: 'OUTPOOL_TEMPORAL' })
  })

  it.each([
    ['does not exist', null, /is not there/],
    ['is too old', fakeTemporal('1.8.2', '1.31.2'), /is too old: temporal version 1\.8\.2/],
    ['is another program', '#!/bin/sh\necho hello\n', /is not Temporal's command: it calls itself "hello"/],
    ['does not run', '#!/bin/sh\necho broken >&2; exit 3\n', /--version failed: broken/],
  ])(
    'stops if what OUTPOOL_TEMPORAL names %s, rather than using another program',
    async (_, text, reason) => {
      await program('bin/temporal', fakeTemporal())
      env['OUTPOOL_TEMPORAL'] = text === null ? join(folder, 'absent') : await program('mine', text)
      const error: unknown = await obtainTemporal({ env, say: () => undefined }).catch(
        (thrown: unknown) => thrown,
      )
      if (!(error instanceof WrongProgramError)) throw error
      expect(error.message).toMatch(reason)
      expect(error.remedy).toContain('unset OUTPOOL_TEMPORAL')
    },
  )

  it('uses `temporal` on the PATH if its version is suitable, including newer ones', async () => {
    const path = await program('bin/temporal', fakeTemporal('1.12.0', '1.40.2'))
    expect((await found()).program).toMatchObject({ path, source: 'PATH' })
  })

  it('skips a `temporal` on the PATH that is too old, and says so', async () => {
    await program('bin/temporal', fakeTemporal('1.9.1', '1.31.9'))
    const outlook = await found()
    expect(outlook.program).toBeNull()
    expect(outlook.attempts).toEqual([
      { source: 'OUTPOOL_TEMPORAL', reason: 'not set' },
      {
        source: 'PATH',
        reason: expect.stringContaining('needed is 1.9 or newer, with server 1.32') as string,
      },
      { source: 'cache', reason: expect.stringContaining('nothing in') as string },
    ])
  })

  it('gives the user’s own Temporal settings priority: environment, then profile file', async () => {
    const file = join(folder, 'temporal.toml')
    await writeFile(
      file,
      '[profile.default]\naddress = "a.example:7233"\n[profile.two]\naddress = "b.example:1"\nnamespace = "n"\n',
    )
    env['TEMPORAL_CONFIG_FILE'] = file
    expect(await findEngine(env)).toEqual({ kind: 'named', address: 'a.example:7233', namespace: 'default' })
    env['TEMPORAL_PROFILE'] = 'two'
    expect(await findEngine(env)).toEqual({ kind: 'named', address: 'b.example:1', namespace: 'n' })
    env['TEMPORAL_ADDRESS'] = 'c.example:2'
    expect(await findEngine(env)).toEqual({ kind: 'named', address: 'c.example:2', namespace: 'n' })
  })

  it.each([
    ['a profile that does not exist', '[profile.default]\naddress = "a:1"\n', 'absent', /absent/],
    ['a profile without an address', '[profile.bare]\nnamespace = "n"\n', 'bare', /names no address/],
    ['a file that is not TOML', '[[[', undefined, /cannot be used/],
  ])('stops at %s instead of starting an embedded engine', async (_, text, profile, message) => {
    await writeFile(join(folder, 'temporal.toml'), text)
    env['TEMPORAL_CONFIG_FILE'] = join(folder, 'temporal.toml')
    if (profile !== undefined) env['TEMPORAL_PROFILE'] = profile
    const error: unknown = await findEngine(env).catch((thrown: unknown) => thrown)
    if (!(error instanceof EngineSettingsError)) throw error
    expect(error.message).toMatch(message)
  })

  it('treats a profile file without profiles as one that names nothing', async () => {
    await program('bin/temporal', fakeTemporal())
    await writeFile(join(folder, 'temporal.toml'), '# empty\n')
    env['TEMPORAL_CONFIG_FILE'] = join(folder, 'temporal.toml')
    expect((await found()).program?.source).toBe('PATH')
  })
})
