/** Which configuration is used. */
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../config/errors.js'
import { passedOverConfig } from '../../config/load/find.js'
import { loadConfig } from '../../config/load/load.js'
import { seenConfig } from '../../config/load/localFile.js'
import { openHome } from '../../config/state/home.js'
import { TrustStore } from '../../config/state/trustStore.js'
import { configHome, valid } from './configHome.js'

const { home, env } = configHome()

describe('finding the file', () => {
  const write = (...path: string[]) => {
    mkdirSync(join(home, ...path.slice(0, -1)), { recursive: true })
    writeFileSync(join(home, ...path), valid)
    return join(home, ...path)
  }

  it("uses --config, then OUTPOOL_CONFIG, then the user's config folder", () => {
    const cwd = join(home, 'elsewhere')
    const user = write('.config', 'outpool', 'outpool.yaml')
    expect(loadConfig({ env, cwd }).file).toBe(user)
    const own = write('xdg', 'outpool', 'outpool.yaml')
    expect(loadConfig({ env: { ...env, XDG_CONFIG_HOME: join(home, 'xdg') }, cwd }).file).toBe(own)
    const configFile = write('elsewhere', 'outpool.yaml')
    expect(loadConfig({ env, cwd }).file).toBe(user)
    expect(passedOverConfig({ env, cwd })).toMatchObject({ local: configFile, used: { file: user } })
    expect(passedOverConfig({ path: configFile, env, cwd })).toBeNull()
    const named = write('named.yaml')
    expect(loadConfig({ env: { ...env, OUTPOOL_CONFIG: '../named.yaml' }, cwd }).file).toBe(named)
    expect(loadConfig({ path: configFile, env: { ...env, OUTPOOL_CONFIG: named }, cwd }).file).toBe(
      configFile,
    )
  })

  it('law 15: the file of the current folder is used only with the content that a person trusts', () => {
    const cwd = join(home, 'cloned')
    const file = write('cloned', 'outpool.yaml')
    const source = {
      env: { ...env, XDG_CONFIG_HOME: join(home, 'none'), OUTPOOL_HOME: join(home, 'state') },
      cwd,
    }
    const store = new TrustStore(openHome(source.env))
    const trust = () => store.trust([seenConfig(file)].filter((seen) => seen !== null))
    const refusal = /do not trust it as it is now/
    expect(() => loadConfig(source)).toThrow(refusal)
    expect(passedOverConfig(source)).toEqual({ local: file, isTrusted: false, used: null })
    trust()
    expect(loadConfig(source).file).toBe(file)
    expect(passedOverConfig(source)).toBeNull()
    // As after a pull: neither a command nor the worker that uses it takes the new text.
    writeFileSync(file, `${valid}services: [{ name: bot, run: [evil] }]\n`)
    expect(() => loadConfig(source)).toThrow(refusal)
    expect(() => loadConfig({ path: file, byContent: true, env: source.env })).toThrow(refusal)
    trust()
    expect(loadConfig(source).services).toHaveLength(1)
    // Trusted for this place only, and not through a link, which could lead elsewhere tomorrow.
    mkdirSync(join(home, 'other'))
    writeFileSync(join(home, 'other', 'outpool.yaml'), readFileSync(file, 'utf8'))
    expect(() => loadConfig({ ...source, cwd: join(home, 'other') })).toThrow(refusal)
    renameSync(file, `${file}.real`)
    symlinkSync(`${file}.real`, file)
    expect(() => loadConfig(source)).toThrow(refusal)
    expect(seenConfig(file)).toBeNull()
  })

  it('says what to do if there is no file, and if the named one does not exist', () => {
    const nowhere = { env: { HOME: join(home, 'nowhere') }, cwd: home }
    expect(() => loadConfig(nowhere)).toThrow(/there is no configuration/)
    try {
      loadConfig(nowhere)
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      expect((error as ConfigError).remedy).toContain('outpool init')
    }
    expect(() => loadConfig({ path: 'gone.yaml', env, cwd: home })).toThrow(
      /gone.yaml: the configuration does not exist/,
    )
    expect(() => loadConfig({ path: '.', env, cwd: home })).toThrow(/is a folder/)
  })
})
