/**
 * `outpool init`: writes a first outpool.yaml, or adds to an existing one what it lacks, and never overwrites anything. On a terminal it
 * asks, and offers what comes after it; with --yes, or without a terminal, it takes what is safe by default.
 */
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { rewriteFile } from '../../config/edit/rewriteFile.js'
import { newConfigFile } from '../../config/load/find.js'
import { parseConfig } from '../../config/load/load.js'
import { readConfigText } from '../../config/load/text.js'
import type { Config } from '../../config/config.js'
import { type CommandContext, print } from '../commandContext.js'
import { FailedError } from '../errors.js'
import { type FoundLogin, findLogins } from '../init/findLogins.js'
import { type Choices, defaultChoices } from '../init/choices.js'
import { addTo, newFile } from '../init/file.js'
import { canAsk } from '../output/confirm.js'
import { errorCode } from '../../policy/errorFacts.js'

/** Throws FailedError without a login, or if a person ends the questions. */
export async function init(context: CommandContext): Promise<void> {
  const home = process.env['HOME'] ?? homedir()
  const file = resolve(newConfigFile({ path: context.config }))
  const text = existsSync(file) ? readConfigText(file) : null
  const config = text === null ? null : parseConfig(text, file)
  const logins = missingFrom(config, findLogins(home, process.env))
  if (config === null && logins.every(({ forHealer }) => forHealer)) throw noLogin()
  if (!context.flag('yes') && canAsk() && process.stdout.isTTY) {
    const { guide } = await import('../init/guided.js')
    await guide(context, { file, home, logins, config, write: (choices) => write(file, text, choices, home) })
    return
  }
  const choices = defaultChoices(logins, context.flag('own'))
  if (config === null && choices.pool.length === 0) throw onlyOwnLogin()
  const added = write(file, text, choices, home)
  if (text === null) print(`wrote ${file} with ${added.join(', ')}; review it, then run: outpool up`)
  else if (added.length === 0) print(`${file} already has every login that was found; nothing was changed`)
  else print(`added ${added.join(', ')} to ${file}; everything else in it is as it was`)
}

const noLogin = (): FailedError =>
  new FailedError(
    'no Claude config dir with a login was found (looked at CLAUDE_CONFIG_DIR, ~/.claude and ~/.claude-*)',
    'log in once per account: CLAUDE_CONFIG_DIR=~/.claude-max-1 claude; then run `outpool init` again',
  )

const onlyOwnLogin = (): FailedError =>
  new FailedError(
    'the only login that was found is your own, in ~/.claude, which is used only if you say so',
    'use it with `outpool init --own`, or log in once per account: CLAUDE_CONFIG_DIR=~/.claude-max-1 claude',
  )

/** The logins that the file lacks: no login is entered twice. */
function missingFrom(config: Config | null, logins: FoundLogin[]): FoundLogin[] {
  if (config === null) return logins
  const known = [...config.pool.accounts, ...config.reserved].map(({ configDir }) => configDir)
  return logins.filter(({ dir }) => !known.includes(realpathSync.native(dir)))
}

/** Returns the names of what was added. `text`: of the file that exists, or null. Throws FailedError, and ConfigError. */
function write(file: string, text: string | null, choices: Choices, home: string): string[] {
  if (text === null) {
    const created = newFile(choices, home)
    const { pool, reserved, substrates } = parseConfig(created, file)
    writeNew(file, created)
    return [...pool.accounts, ...reserved, ...substrates].map(({ name }) => name)
  }
  const { pool, reserved, substrates, reservedSubstrates } = parseConfig(text, file)
  const taken = [...pool.accounts, ...reserved, ...substrates, ...reservedSubstrates].map(({ name }) => name)
  const { text: changed, added } = addTo(text, choices, taken, home)
  if (added.length === 0) return added
  parseConfig(changed, file)
  rewriteFile(file, changed)
  return added
}

function writeNew(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    throw new FailedError(
      `${file} already exists and was not changed`,
      'edit it, or name another file with --config',
    )
  }
}
