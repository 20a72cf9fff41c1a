/** A home directory with config dirs for a test file, and configurations that are parsed as if they lay in it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { ConfigError, type ConfigIssue } from '../../config/errors.js'
import { parseConfig } from '../../config/load/load.js'

/** The smallest configuration. */
export const valid = `pool:
  accounts:
    - { name: max-1, configDir: ~/.claude-max-1 }
`

export function configHome() {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-config-')))
  afterAll(() => rmSync(home, { recursive: true }))
  const env: NodeJS.ProcessEnv = { HOME: home }
  for (const dir of ['.claude-max-1', '.claude-max-2', '.claude-medic', 'elsewhere'])
    mkdirSync(join(home, dir))
  symlinkSync(join(home, '.claude-max-1'), join(home, 'link-to-max-1'))
  writeFileSync(join(home, 'a-file'), '')
  symlinkSync(join(home, 'a-file'), join(home, 'link-to-a-file'))

  const parse = (text: string) => parseConfig(text, join(home, 'outpool.yaml'), env)

  function faultsOf(text: string): readonly ConfigIssue[] {
    try {
      parse(text)
    } catch (error) {
      if (error instanceof ConfigError) return error.issues
      throw error
    }
    return []
  }

  const brief = (text: string) =>
    faultsOf(text).map(({ line, column, problem }) => `${line}:${column} ${problem}`)

  return { home, env, parse, faultsOf, brief }
}
